import type { FetchDataRewrite } from '@apollo/query-planner';
import { type GraphQLSchema, isAbstractType, isInterfaceType, isObjectType } from 'graphql';
import { type Data, isObject, own, set } from './merge-data.ts';

const FRAGMENT = '... on ';

/**
 * Changes data as a plan requires for `@interfaceObject`: before it is sent to a subgraph, or after it
 * was received.
 */
export function applyRewrites(
  schema: GraphQLSchema,
  rewrites: readonly FetchDataRewrite[],
  data: unknown,
): void {
  for (const rewrite of rewrites) {
    const name = rewrite.path.at(-1);
    if (name === undefined) continue;
    visitAt(schema, data, rewrite.path.slice(0, -1), (object) => {
      if (rewrite.kind === 'ValueSetter') return set(object, name, rewrite.setValueTo);
      const value = own(object, name);
      if (value === undefined) return;
      set(object, rewrite.renameKeyTo, value);
      object[name] = undefined;
    });
  }
}

function visitAt(
  schema: GraphQLSchema,
  value: unknown,
  path: readonly string[],
  visit: (object: Data) => void,
): void {
  if (Array.isArray(value)) {
    for (const element of value) visitAt(schema, element, path, visit);
    return;
  }
  if (!isObject(value)) return;
  const [first, ...rest] = path;
  if (first === undefined) visit(value);
  else if (!first.startsWith(FRAGMENT)) visitAt(schema, own(value, first), rest, visit);
  else if (!value['__typename'] || isOfType(schema, value, first.slice(FRAGMENT.length))) {
    visitAt(schema, value, rest, visit);
  }
}

/** Whether the type that an object names fulfills a type condition. */
export function isOfType(schema: GraphQLSchema, source: Data, condition: string): boolean {
  const name = source['__typename'];
  if (!name) return false;
  if (condition === name) return true;
  const type = schema.getType(String(name));
  const wanted = schema.getType(condition);
  if (!type || !wanted || !isAbstractType(wanted)) return false;
  return (isObjectType(type) || isInterfaceType(type)) && schema.isSubType(wanted, type);
}
