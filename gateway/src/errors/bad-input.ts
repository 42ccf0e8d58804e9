import { validateSafely } from '@gudang/graphql';
import {
  coerceInputValue,
  type DocumentNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  getVariableValues,
  isInputType,
  Kind,
  type OperationDefinitionNode,
  ProvidedRequiredArgumentsRule,
  parseType,
  typeFromAST,
  ValuesOfCorrectTypeRule,
  type VariableDefinitionNode,
} from 'graphql';
import { allowedValues } from './allowed-values.ts';
import { inputPlaces, typeAlong } from './input-path.ts';

/** Extensions of an error about the value of an argument. */
export interface BadInput {
  readonly code: 'BAD_USER_INPUT';
  /** The argument's path, such as `input.quantity`. */
  readonly argument: string;
  /** Description of the allowed values. */
  readonly allowed?: string;
}

const INPUT_RULES = [ValuesOfCorrectTypeRule, ProvidedRequiredArgumentsRule];
// Each pattern is anchored and reads names only up to the next quote, so that matching takes linear
// time for any message.
const MISSING_ARGUMENT = /^\w+ "[^"]+" argument "([^"]+)" of type "([^"]+)" is required/;
const MISSING_FIELD = /^Field "(?:[^".]+\.)?([^".]+)" of required type/;
const UNKNOWN_FIELD = /^Field "([^"]+)" is not defined by type/;
const VARIABLE = /^Variable "\$[^"]+" (?:got invalid value|of required type|of non-null type) /;

/**
 * Maximum number of variable errors in one response. The message of each error contains the
 * variable's value, so 5,000 unknown fields in an object of 100 KB would produce 500 MB of
 * messages.
 */
const MAX_VARIABLE_ERRORS = 10;
/** Maximum number of uses of a variable that one error names. */
const MAX_PLACES = 5;
/** Maximum number of characters in `argument`, which contains names that clients choose. */
const MAX_ARGUMENT_LENGTH = 500;

type Values = Readonly<Record<string, unknown>>;

/** Coerces an operation's variables, and reports the first 10 errors. */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Values,
): ReturnType<typeof getVariableValues> {
  const maxErrors = MAX_VARIABLE_ERRORS;
  const result = getVariableValues(schema, variableDefinitions, given, { maxErrors });
  // At the limit, graphql-js adds one more error, which reports that coercion was stopped.
  return result.errors ? { errors: result.errors.slice(0, maxErrors) } : result;
}

/**
 * Finds the errors about argument values (literals or variables), and the argument that each error
 * is about. Errors about unknown fields in a selection or unknown arguments are not included,
 * because they are errors of the operation, not of its input.
 * @param variables values before coercion; required only for errors about variables
 */
export function findBadInput(
  errors: readonly GraphQLError[],
  document: DocumentNode,
  schema: GraphQLSchema,
  variables: Values = {},
): Map<GraphQLError, BadInput> {
  const found = new Map<GraphQLError, BadInput>();
  const places = inputPlaces(document, schema);
  const literals = new Set(validateSafely(schema, document, INPUT_RULES).map(identity));
  const pathsOf = new Map<VariableDefinitionNode, Iterator<Path>>();
  for (const error of errors) {
    const definition = error.nodes?.[0];
    if (definition?.kind === Kind.VARIABLE_DEFINITION && VARIABLE.test(error.message)) {
      const paths = pathsOf.get(definition) ?? findPaths(definition, schema, variables).values();
      pathsOf.set(definition, paths);
      // graphql-js reports the errors of one variable in the order of coercion, which is also the
      // order of the paths.
      found.set(error, ofVariable(definition, paths.next().value ?? [], places, schema));
    } else if (literals.has(identity(error))) {
      found.set(error, ofLiteral(error, places, schema));
    }
  }
  return found;
}

type Places = ReturnType<typeof inputPlaces>;
type Path = readonly (string | number)[];

/**
 * Returns a key that consists of an error's position and message. The error objects themselves
 * cannot be compared, because each validation creates new ones.
 */
function identity(error: GraphQLError): string {
  return `${error.nodes?.[0]?.loc?.start}:${error.message}`;
}

function badInput(argument: string, type: GraphQLInputType | undefined): BadInput {
  return {
    code: 'BAD_USER_INPUT',
    argument: argument.slice(0, MAX_ARGUMENT_LENGTH),
    ...(type ? { allowed: allowedValues(type) } : {}),
  };
}

/**
 * Finds the paths at which a variable's value fails coercion, by coercing it again. The paths are
 * not parsed from error messages, because messages contain text that the client chose.
 */
function findPaths(
  { variable, type }: VariableDefinitionNode,
  schema: GraphQLSchema,
  variables: Values,
): Path[] {
  const name = variable.name.value;
  const declared = typeFromAST(schema, type);
  if (!declared || !isInputType(declared) || !Object.hasOwn(variables, name)) return [];
  const paths: Path[] = [];
  try {
    coerceInputValue(variables[name], declared, (path, _value, error) => {
      paths.push([...path, ...fieldAtFault(error.message)]);
      if (paths.length >= MAX_VARIABLE_ERRORS) throw error;
    });
  } catch {
    // The callback has thrown to stop coercion, because enough errors have been found.
  }
  return paths;
}

function ofVariable(
  definition: VariableDefinitionNode,
  path: Path,
  places: Places,
  schema: GraphQLSchema,
): BadInput {
  const name = definition.variable.name.value;
  const declared = typeFromAST(schema, definition.type);
  const inside = printPath(path);
  const used = places.ofVariable.get(name)?.map(({ argument }) => argument + inside);
  return badInput(
    used?.slice(0, MAX_PLACES).join(', ') ?? name + inside,
    declared && isInputType(declared) ? typeAlong(declared, path) : undefined,
  );
}

function ofLiteral(error: GraphQLError, places: Places, schema: GraphQLSchema): BadInput {
  const missing = MISSING_ARGUMENT.exec(error.message);
  if (missing) {
    const [, argument = '', type = ''] = missing;
    const expected = typeFromAST(schema, parseType(type));
    return badInput(argument, expected && isInputType(expected) ? expected : undefined);
  }
  const place = places.ofNode.get(error.nodes?.[0]);
  const path = UNKNOWN_FIELD.test(error.message) ? [] : fieldAtFault(error.message);
  return badInput(
    (place?.argument ?? '') + printPath(path),
    place?.type && typeAlong(place.type, path),
  );
}

/** Returns the missing or unknown field that an error about an object names. */
function fieldAtFault(message: string): string[] {
  const field = MISSING_FIELD.exec(message)?.[1] ?? UNKNOWN_FIELD.exec(message)?.[1];
  return field === undefined ? [] : [field];
}

function printPath(path: Path): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
}
