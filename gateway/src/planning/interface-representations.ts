import type { FetchNode } from '@apollo/query-planner';
import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import { PlanningError } from '../errors/planning-error.ts';

/**
 * Checks that a request represents the objects of each type as one interface object only. If a subgraph has several
 * interfaces of a type as objects, Apollo's planner can merge their fields into one request, but a representation has
 * one type: the fields of the others would be null without an error.
 * @throws {PlanningError} if objects are represented as several
 */
export function assertOneInterface({ inputRewrites = [] }: FetchNode, schema: GraphQLSchema): void {
  const found = new Map<string, unknown>();
  for (const one of inputRewrites) {
    const [on = '', field] = one.path;
    if (one.kind !== 'ValueSetter' || field !== '__typename') continue;
    const type = schema.getType(on.replace('... on ', ''));
    const names = isInterfaceType(type)
      ? schema.getPossibleTypes(type).map(({ name }) => name)
      : [type?.name ?? ''];
    for (const name of names) {
      const known = found.get(name) ?? one.setValueTo;
      found.set(name, known);
      if (known === one.setValueTo) continue;
      throw new PlanningError(
        `a subgraph would receive ${name} as ${known} and as ${one.setValueTo} at once`,
      );
    }
  }
}

/**
 * Limits the entities that a plan sends to a subgraph with an interface as an object (`@interfaceObject`) to those with
 * a key.
 *
 * Apollo's planner selects the key of some types only, but required fields of the whole interface. An entity of another
 * type that has the required fields, because the client has selected them, would be sent without its key, and the
 * subgraph would reject the request.
 */
export function limitRepresentations(fetch: FetchNode, schema: GraphQLSchema): void {
  const { requires, inputRewrites = [] } = fetch;
  const keyed = inputRewrites.flatMap((one) => {
    const [on = '', field] = one.path;
    // The type becomes that of the interface where the key is selected.
    return one.kind === 'ValueSetter' && field === '__typename' ? [on.replace('... on ', '')] : [];
  });
  if (!requires || keyed.length === 0) return;
  fetch.requires = requires.flatMap((one) => {
    const on = one.kind === 'InlineFragment' ? one.typeCondition : undefined;
    const type = on === undefined ? undefined : schema.getType(on);
    if (!isInterfaceType(type) || keyed.includes(type.name)) return [one];
    const types = keyed.filter((name) => {
      const possible = schema.getType(name);
      return isObjectType(possible) && schema.isSubType(type, possible);
    });
    return types.length > 0 ? types.map((name) => ({ ...one, typeCondition: name })) : [one];
  });
}
