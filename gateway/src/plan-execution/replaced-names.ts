import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { createBare, isObject, set } from './merge-data.ts';
import type { PreparedPlan, Values } from './plan-executor.ts';

/** Names of a client's operation that were replaced before planning. */
export interface ReplacedNames {
  /** The client's response names, by the names in the plan. */
  readonly responses: ReadonlyMap<string, string>;
  /** The names of variables in the plan, by the client's. */
  readonly variables: ReadonlyMap<string, string>;
}

type Path = readonly (string | number)[];

/** Returns the values of variables by their names in the plan. */
export function toPlanVariables<T extends Values | undefined>(
  given: T,
  { variables }: Pick<ReplacedNames, 'variables'>,
): T {
  if (given === undefined || variables.size === 0) return given;
  const named = createBare();
  for (const [name, value] of Object.entries(given)) set(named, variables.get(name) ?? name, value);
  return named as T;
}

/** Returns an error's path with the client's names. */
export function toClientPath<T extends Path | undefined>(path: T, { responses }: ReplacedNames): T {
  return path?.map((key) => responses.get(key as string) ?? key) as T;
}

/** Returns errors whose paths have the client's names. */
export function toClientErrors(
  errors: readonly GraphQLFormattedError[],
  replaced: ReplacedNames,
): readonly GraphQLFormattedError[] {
  return errors.map((error) =>
    error.path ? { ...error, path: toClientPath(error.path, replaced) } : error,
  );
}

/** Lets a plan that knows nothing of the client's names use them. */
export function withClientNames(run: PreparedPlan, replaced: ReplacedNames): PreparedPlan {
  return async (variables, fetch) => {
    const { data, errors } = await run(toPlanVariables(variables, replaced), fetch);
    return {
      ...(data === undefined ? {} : { data: toClientData(data, replaced) as typeof data }),
      ...(errors ? { errors: errors.map((error) => renameError(error, replaced)) } : {}),
    };
  };
}

function renameError(error: GraphQLError, replaced: ReplacedNames): GraphQLError {
  const { message, path, extensions, originalError } = error;
  if (!path) return error;
  return new GraphQLError(message, {
    path: toClientPath(path, replaced),
    extensions,
    originalError,
  });
}

function toClientData(value: unknown, replaced: ReplacedNames): unknown {
  if (Array.isArray(value)) return value.map((element) => toClientData(element, replaced));
  if (!isObject(value)) return value;
  const named = createBare();
  for (const [key, part] of Object.entries(value)) {
    set(named, replaced.responses.get(key) ?? key, toClientData(part, replaced));
  }
  return named;
}
