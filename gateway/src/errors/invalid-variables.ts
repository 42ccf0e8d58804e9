import { shorten } from '@gudang/graphql';
import {
  coerceInputValue,
  GraphQLError,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  type OperationDefinitionNode,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';
import { printPath } from './input-path.ts';

/** Maximum number of errors about variables in one response. */
const MAX_ERRORS = 10;
/** Maximum number of characters of a value that an error quotes. */
const MAX_QUOTED = 200;

type Values = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/** Error about the value of a variable. */
export class VariableError extends GraphQLError {
  readonly definition: VariableDefinitionNode;
  /** The path in the variable's value. */
  readonly valuePath: Path;
  readonly type: GraphQLInputType;

  constructor(
    definition: VariableDefinitionNode,
    { path, type, message }: { path: Path; type: GraphQLInputType; message: string },
  ) {
    super(message, { nodes: definition, extensions: { code: 'BAD_USER_INPUT' } });
    this.definition = definition;
    this.valuePath = path;
    this.type = type;
  }
}

type Coerced =
  | { readonly coerced: Record<string, unknown>; readonly errors?: never }
  | { readonly coerced?: never; readonly errors: readonly GraphQLError[] };

/** Coerces an operation's variables like graphql-js, and reports the first 10 errors. */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Values,
): Coerced {
  // A variable may be named `__proto__`.
  const coerced: Record<string, unknown> = Object.create(null);
  const errors: VariableError[] = [];
  for (const definition of variableDefinitions) {
    const name = definition.variable.name.value;
    const type = typeFromAST(schema, definition.type);
    // Validation has rejected other types.
    if (!isInputType(type)) continue;
    if (!Object.hasOwn(given, name)) {
      if (definition.defaultValue) coerced[name] = valueFromAST(definition.defaultValue, type);
      else if (isNonNullType(type)) errors.push(isMissing(definition, type));
      continue;
    }
    const value = given[name];
    if (value === null && isNonNullType(type)) errors.push(isNull(definition, type));
    else if (!coerceInto(coerced, name, value, type)) {
      errors.push(...findInvalid(definition, type, value));
    }
    if (errors.length >= MAX_ERRORS) break;
  }
  return errors.length > 0 ? { errors: errors.slice(0, MAX_ERRORS) } : { coerced };
}

/** @returns false if the value does not fit the type */
function coerceInto(
  coerced: Record<string, unknown>,
  name: string,
  value: unknown,
  type: GraphQLInputType,
): boolean {
  try {
    coerced[name] = coerceInputValue(value, type, stopCoercion);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends coercion at the first error. Errors are then found separately, because graphql-js quotes the
 * whole value in the message of each of them.
 */
function stopCoercion(): never {
  throw INVALID;
}
const INVALID = new Error('The value does not fit the type');

function isMissing(definition: VariableDefinitionNode, type: GraphQLInputType): VariableError {
  const message = `Variable "$${nameOf(definition)}" of required type "${type}" was not provided.`;
  return new VariableError(definition, { path: [], type, message });
}

function isNull(definition: VariableDefinitionNode, type: GraphQLInputType): VariableError {
  const message = `Variable "$${nameOf(definition)}" of non-null type "${type}" must not be null.`;
  return new VariableError(definition, { path: [], type, message });
}

function nameOf({ variable }: VariableDefinitionNode): string {
  return shorten(variable.name.value, MAX_QUOTED);
}

/** Finds the invalid parts of a value of which coercion has failed. */
function findInvalid(
  definition: VariableDefinitionNode,
  type: GraphQLInputType,
  value: unknown,
): readonly VariableError[] {
  const name = nameOf(definition);
  const errors: VariableError[] = [];
  let last: { readonly quoted: unknown; readonly text: string } | undefined;
  const report: Report = (reason, { at, quoted, ...found }) => {
    // Several errors about one object quote it. Listing 20,000 keys takes 2 ms.
    if (last === undefined || last.quoted !== quoted) last = { quoted, text: quote(quoted) };
    const where = at.length > 0 ? ` at "${printPath(name, at)}"` : '';
    const message = `Variable "$${name}" got invalid value ${last.text}${where}; ${reason}`;
    errors.push(new VariableError(definition, { ...found, message }));
    if (errors.length >= MAX_ERRORS) throw INVALID;
  };
  try {
    checkValue(type, value, [], report);
  } catch (error) {
    if (error !== INVALID) throw error;
  }
  if (errors.length > 0) return errors;
  const message = `Variable "$${name}" got invalid value ${quote(value)}; Expected type "${type}".`;
  return [new VariableError(definition, { path: [], type, message })];
}

type Report = (
  reason: string,
  found: {
    /** The path of the invalid value, or of the missing or unknown field. */
    readonly path: Path;
    readonly type: GraphQLInputType;
    /** The path and the value that the message quotes. */
    readonly at: Path;
    readonly quoted: unknown;
  },
) => void;

/** Reports each part of a value that does not fit a type, in the order of coercion. */
function checkValue(type: GraphQLInputType, value: unknown, path: Path, report: Report): void {
  const fail = (reason: string): void => report(reason, { path, type, at: path, quoted: value });
  const nullable = isNonNullType(type) ? type.ofType : type;
  if (value === null || value === undefined) {
    if (isNonNullType(type)) fail(`Expected non-nullable type "${type}" not to be null.`);
  } else if (isListType(nullable)) {
    // GraphQL coerces a single value to a list of one element.
    if (!Array.isArray(value)) checkValue(nullable.ofType, value, path, report);
    else
      for (const [index, item] of value.entries()) {
        checkValue(nullable.ofType, item, [...path, index], report);
      }
  } else if (!isInputObjectType(nullable)) {
    const reason = leafProblem(nullable, value);
    if (reason !== undefined) fail(reason);
  } else if (typeof value !== 'object' || Array.isArray(value)) {
    fail(`Expected type "${nullable}" to be an object.`);
  } else checkFields(type, value as Values, path, report);
}

function checkFields(type: GraphQLInputType, value: Values, path: Path, report: Report): void {
  const object = isNonNullType(type) ? type.ofType : type;
  if (!isInputObjectType(object)) return;
  const fields = object.getFields();
  for (const field of Object.values(fields)) {
    const own = [...path, field.name];
    if (Object.hasOwn(value, field.name)) checkValue(field.type, value[field.name], own, report);
    else if (isRequiredInputField(field)) {
      report(`Field "${field.name}" of required type "${field.type}" was not provided.`, {
        path: own,
        type: field.type,
        at: path,
        quoted: value,
      });
    }
  }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(fields, name)) continue;
    const reason = `Field "${shorten(name, MAX_QUOTED)}" is not defined by type "${object}".`;
    report(reason, { path: [...path, name], type, at: path, quoted: value });
  }
  if (!object.isOneOf) return;
  const given = Object.keys(fields).filter((name) => Object.hasOwn(value, name));
  if (given.length === 1 && value[given[0] ?? ''] !== null) return;
  const reason = `Exactly one key must be specified for OneOf type "${object}", with a value that is not null.`;
  report(reason, { path, type, at: path, quoted: value });
}

/** @returns undefined if the value is valid */
function leafProblem(type: GraphQLLeafType, value: unknown): string | undefined {
  try {
    type.parseValue(value);
    return undefined;
  } catch {
    // The reason is taken from a shortened value, because it quotes the value.
  }
  try {
    type.parseValue(abridge(value));
    return `Expected type "${type}".`;
  } catch (error) {
    return error instanceof GraphQLError ? error.message : `Expected type "${type}".`;
  }
}

function abridge(value: unknown): unknown {
  if (typeof value === 'string') return shorten(value, MAX_QUOTED);
  if (Array.isArray(value)) return [];
  return typeof value === 'object' ? {} : value;
}

/** Formats a value for a message: at most 10 items of a list or object, without what they contain. */
function quote(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map(quoteItem);
    return `[${[...items, ...(value.length > MAX_ITEMS ? ['…'] : [])].join(', ')}]`;
  }
  if (typeof value !== 'object' || value === null) return quoteItem(value);
  const items: string[] = [];
  for (const name in value) {
    if (items.length === MAX_ITEMS) {
      items.push('…');
      break;
    }
    items.push(`${shorten(name, MAX_ITEM)}: ${quoteItem((value as Values)[name])}`);
  }
  return items.length === 0 ? '{}' : `{ ${items.join(', ')} }`;
}

const MAX_ITEMS = 10;
/** Maximum number of characters of a quoted item. */
const MAX_ITEM = 50;

function quoteItem(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : '[Array]';
  if (typeof value === 'object' && value !== null) return '[Object]';
  return typeof value === 'string' ? JSON.stringify(shorten(value, MAX_ITEM)) : String(value);
}
