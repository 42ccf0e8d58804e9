import type { EnumType } from '@apollo/federation-internals';
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import type { LoadedSupergraph } from '../supergraph.ts';
import { isObject, own } from './merge-data.ts';

/**
 * Returns the names of the subgraphs that have an interface as an object (`@interfaceObject`), and name it as the type
 * of their objects; undefined if there are none.
 */
export function readInterfaceObjectSubgraphs({
  model: { schema },
}: Pick<LoadedSupergraph, 'model'>): ReadonlySet<string> | undefined {
  const graphs = new Set<unknown>();
  for (const type of schema.types()) {
    for (const directive of type.appliedDirectivesOf('join__type')) {
      const { graph, isInterfaceObject } = directive.arguments() as Record<string, unknown>;
      if (isInterfaceObject === true) graphs.add(graph);
    }
  }
  if (graphs.size === 0) return undefined;
  const names = (schema.type('join__Graph') as EnumType).values.flatMap((value) => {
    const [directive] = value.appliedDirectivesOf('join__graph');
    const { name } = (directive?.arguments() ?? {}) as Record<string, unknown>;
    return graphs.has(value.name) ? [String(name)] : [];
  });
  return new Set(names);
}

/**
 * Puts the object types that are known into an answer that names an interface instead. If several subgraphs return the
 * same objects, the answer that is merged last would hide their types: fields that plans select or send for a type
 * would be missing.
 * @param known data of the answers that have been merged
 */
export function keepTypes(schema: GraphQLSchema, known: unknown, answer: unknown): void {
  if (Array.isArray(known) && Array.isArray(answer)) {
    for (const [index, element] of answer.entries()) keepTypes(schema, known[index], element);
  }
  if (!isObject(known) || !isObject(answer)) return;
  for (const name of Object.keys(answer)) {
    const before = own(known, name);
    if (name !== '__typename') keepTypes(schema, before, answer[name]);
    else if (
      isInterfaceType(typeNamed(schema, answer[name])) &&
      isObjectType(typeNamed(schema, before))
    )
      answer[name] = before;
  }
}

const typeNamed = (schema: GraphQLSchema, name: unknown) =>
  typeof name === 'string' ? schema.getType(name) : undefined;
