import { assert, ERRORS, errorCodeDef } from '@apollo/federation-internals';
import type { FetchNode } from '@apollo/query-planner';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { type Data, own } from './merge-data.ts';

type Path = readonly (string | number)[];

/** Maps the paths of a subgraph's errors to paths of the client's answer. */
export function createErrorPaths({ requires }: FetchNode, path: Path, root: Data) {
  let entities: Path[] | undefined;
  return (given: Path | undefined): Path | undefined => {
    if (!requires || typeof given?.[1] !== 'number') return given ? [...path, ...given] : undefined;
    entities ??= findEntities([], path, root, []);
    return [...(entities[given[1]] ?? []), ...given.slice(2)];
  };
}

/** Finds the paths of all values that a path of the plan matches, in order. */
function findEntities(parent: Path, path: Path, data: unknown, found: Path[]): Path[] {
  const [head, ...rest] = path;
  if (data === undefined || data === null) return found;
  if (head === undefined) found.push(parent);
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
