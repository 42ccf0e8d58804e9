import {
  type ArgumentNode,
  type FieldNode,
  type GraphQLField,
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isScalarType,
  Kind,
  type OperationDefinitionNode,
  valueFromASTUntyped,
} from 'graphql';
import type { ListSize } from './cost-directives.ts';

/** A request's variables, before coercion. */
export type Variables = Readonly<Record<string, unknown>>;

/** Assumed size of a list if neither the schema nor an argument sets it. */
export const ASSUMED_SIZE = 10;

/**
 * Names of the arguments that, by Relay's convention, set the size of a list without `@listSize`.
 */
const BY_CONVENTION = ['first', 'last'];

/**
 * Returns the size of a field's list according to its arguments. If several arguments set a size,
 * the largest size counts. Returns undefined if the field has neither `@listSize` nor an Int
 * argument named `first` or `last`.
 */
export function sizeOf(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  declared: ListSize | undefined,
  variables: Variables,
): number | undefined {
  const { names, byDefault } = argumentsOf(field, declared);
  if (!declared && names.length === 0) return undefined;
  const assumed = declared?.assumed ?? byDefault ?? ASSUMED_SIZE;
  const given = (node.arguments ?? []).flatMap(({ name, value }) =>
    names.includes(name.value) ? [value] : [],
  );
  return largest(
    given.map((value) => valueFromASTUntyped(value, variables)),
    assumed,
  );
}

/**
 * Returns the number of input objects in those arguments of a field that are lists, such as the items of a
 * batch.
 */
export function countInputs(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  declared: ListSize | undefined,
  variables: Variables,
): number {
  const { batches } = argumentsOf(field, declared);
  if (batches.length === 0) return 0;
  return (node.arguments ?? []).reduce(
    (total, argument) =>
      batches.includes(argument.name.value) ? total + lengthOf(argument, variables) : total,
    0,
  );
}

function lengthOf({ value }: ArgumentNode, variables: Variables): number {
  if (value.kind === Kind.LIST) return value.values.length;
  const given = value.kind === Kind.VARIABLE ? variables[value.name.value] : value;
  if (Array.isArray(given)) return given.length;
  // GraphQL accepts a single value as a list of one.
  return given === undefined || given === null ? 0 : 1;
}

interface SizeArguments {
  readonly names: readonly string[];
  /** The largest default value. */
  readonly byDefault: number | undefined;
  /** Names of the arguments that are lists of input objects. */
  readonly batches: readonly string[];
}

/** Reading the arguments of a field again for each of 98 aliases took half of the time for its cost. */
const known = new WeakMap<GraphQLField<unknown, unknown>, SizeArguments>();

/** Returns the arguments that set the size of a field's list. */
function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  declared: ListSize | undefined,
): SizeArguments {
  const found = known.get(field);
  if (found) return found;
  const names = declared ? (declared.arguments ?? []) : byConvention(field);
  const batches = field.args.flatMap(({ name, type }) =>
    isListType(getNullableType(type)) && isInputObjectType(getNamedType(type)) ? [name] : [],
  );
  const all = { names, byDefault: defaultOf(field, names), batches };
  known.set(field, all);
  return all;
}

function byConvention(field: GraphQLField<unknown, unknown>): string[] {
  return field.args.flatMap(({ name, type }) => {
    const nullable = getNullableType(type);
    const whole = isScalarType(nullable) && nullable.name === 'Int';
    return whole && BY_CONVENTION.includes(name) ? [name] : [];
  });
}

function defaultOf(
  field: GraphQLField<unknown, unknown>,
  names: readonly string[],
): number | undefined {
  const sizes = field.args.flatMap(({ name, defaultValue }) =>
    names.includes(name) && typeof defaultValue === 'number' ? [defaultValue] : [],
  );
  return sizes.length > 0 ? Math.max(...sizes) : undefined;
}

/** Returns the variables, with the operation's default values for missing variables. */
export function withDefaults(
  given: Variables,
  { variableDefinitions = [] }: OperationDefinitionNode,
): Variables {
  const defaults = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const] : [],
  );
  return defaults.length === 0 ? given : { ...Object.fromEntries(defaults), ...given };
}

/**
 * Returns the largest size. Values that are not of type Int are ignored, because validation rejects
 * them later with an error that names the argument.
 */
function largest(values: readonly unknown[], assumed: number): number {
  const sizes = values.filter((value) => typeof value === 'number' && value === (value | 0));
  return sizes.length === 0 ? assumed : Math.max(0, ...(sizes as number[]));
}
