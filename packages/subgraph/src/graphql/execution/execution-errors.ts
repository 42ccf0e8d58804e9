import {
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  isObjectType,
  locatedError,
} from 'graphql';

/** A position in an answer. The positions above it are shared. */
export interface Path {
  readonly prev: Path | undefined;
  readonly key: string | number;
  readonly typename: string | undefined;
}

/** The errors of one execution, in the order of the answer. */
export class ExecutionErrors {
  readonly found: GraphQLError[] = [];
  readonly #nulled = new Set<Path | undefined>();

  /**
   * Adds the error that makes a position null. Errors below a position that is null already are left out:
   * they come from fields that still ran when the position became null.
   */
  add(error: GraphQLError, path: Path | undefined): void {
    if (this.#nulled.size > 0 && this.#isNulled(path)) return;
    this.#nulled.add(path);
    this.found.push(error);
  }

  #isNulled(path: Path | undefined): boolean {
    for (let at = path; at !== undefined; at = at.prev) if (this.#nulled.has(at)) return true;
    return this.#nulled.has(undefined);
  }
}

/** Returns an error with the nodes and the path of the field that failed. */
export function errorAt(
  error: unknown,
  nodes: readonly FieldNode[],
  path: Path | undefined,
): GraphQLError {
  const keys: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.prev) keys.push(at.key);
  return locatedError(error, nodes, keys.reverse());
}

/**
 * Returns the object type that a type resolver has named.
 * @throws {GraphQLError} if the name is none of the abstract type's object types
 */
export function runtimeTypeOf(
  schema: GraphQLSchema,
  type: GraphQLAbstractType,
  name: unknown,
  nodes: readonly FieldNode[],
): GraphQLObjectType {
  const found = typeof name === 'string' ? schema.getType(name) : undefined;
  if (isObjectType(found) && schema.isSubType(type, found)) return found;
  throw new GraphQLError(
    `A value of the abstract type "${type.name}" must have one of its object types, not ${String(name)}`,
    { nodes },
  );
}

/** Returns the error for a value that `isTypeOf` of its type refuses. */
export function wrongTypeError(type: GraphQLObjectType, nodes: readonly FieldNode[]): GraphQLError {
  return new GraphQLError(`The type "${type.name}" refuses a value of its field`, { nodes });
}
