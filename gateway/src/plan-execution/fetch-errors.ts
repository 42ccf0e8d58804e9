import { assert, ERRORS, errorCodeDef } from '@apollo/federation-internals';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Data, own } from './merge-data.ts';

type Path = readonly (string | number)[];

/**
 * Maps the paths of a subgraph's errors to paths of the client's answer.
 * @param represented the entities of the fetch, in the order of their representations; undefined if it has none
 */
export function createErrorPaths(path: Path, root: Data, represented: readonly Data[] | undefined) {
  let places: Map<unknown, Path> | undefined;
  return (given: Path | undefined): Path | undefined => {
    if (!represented || typeof given?.[1] !== 'number') {
      return given ? [...path, ...given] : undefined;
    }
    places ??= findEntities([], path, root, new Map());
    return [...(places.get(represented[given[1]]) ?? []), ...given.slice(2)];
  };
}

/** Finds all values that a path of the plan matches, and their paths. */
function findEntities(
  parent: Path,
  path: Path,
  data: unknown,
  found: Map<unknown, Path>,
): Map<unknown, Path> {
  const [head, ...rest] = path;
  if (data === undefined || data === null) return found;
  if (head === undefined) found.set(data, parent);
  else if (head === '@') {
    assert(Array.isArray(data), 'expected array when encountering `@`');
    for (const [index, value] of data.entries()) {
      findEntities([...parent, index], rest, value, found);
    }
  } else if (typeof head !== 'string') {
    assert(false, `unknown path part "${head}"`);
  } else if (Array.isArray(data)) {
    for (const [index, value] of data.entries()) {
      findEntities([...parent, index], path, value, found);
    }
  } else if (Object.hasOwn(data, head)) {
    findEntities([...parent, head], rest, own(data as Data, head), found);
  }
  return found;
}

/** Converts a subgraph's error for clients. The converted error names the subgraph. */
export function subgraphError(
  original: GraphQLFormattedError,
  serviceName: string,
  path: Path | undefined,
): GraphQLError {
  const message = original.message || `Error while fetching subquery from service "${serviceName}"`;
  const { extensions } = original;
  const options = {
    originalError: original as Error & GraphQLFormattedError,
    path,
    extensions: { ...extensions, serviceName },
  };
  const known = errorCodeDef(original as GraphQLError);
  if (!known && extensions?.['code']) return new GraphQLError(message, options);
  return (known ?? ERRORS.DOWNSTREAM_SERVICE_ERROR).err(message, options);
}
