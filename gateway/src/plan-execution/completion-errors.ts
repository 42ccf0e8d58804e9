import { GraphQLError } from 'graphql';

/**
 * Maximum number of errors about null values in one result. All of them usually have the same cause.
 */
const MAX_ERRORS = 20;

type Path = readonly (string | number)[];

/** A value that does not fit its type. */
export interface Misfit {
  readonly message: string;
  readonly path: Path;
}

/**
 * Adds an error for each misfit that no other error explains, because a result in which null has
 * replaced a non-null value must have an error (GraphQL, 6.4.4). An error explains a misfit if one of
 * their paths starts with the other, or if the error has no path.
 * @param errors errors of the subgraphs, or of the requests to them
 * @returns undefined if there is no error
 */
export function withCompletionErrors(
  errors: readonly GraphQLError[],
  misfits: readonly Misfit[],
): readonly GraphQLError[] | undefined {
  const all = [...errors];
  for (const { message, path } of misfits) {
    if (all.length - errors.length === MAX_ERRORS) break;
    if (errors.some((error) => isNested(error.path ?? [], path))) continue;
    all.push(new GraphQLError(message, { path, extensions: { code: 'DOWNSTREAM_SERVICE_ERROR' } }));
  }
  return all.length > 0 ? all : undefined;
}

function isNested(one: Path, other: Path): boolean {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index += 1) if (one[index] !== other[index]) return false;
  return true;
}
