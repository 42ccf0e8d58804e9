import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, parse } from 'graphql';
import { expect, it } from 'vitest';
import { type EntityReference, resolveEntitiesTogether } from './resolve-entities.ts';

const typeDefs = parse(`
  type Query { part: Part }
  type Part @key(fields: "id") @key(fields: "code") { id: ID! code: ID name: String }
  type Thing @key(fields: "id") { id: ID! }`);

/** Number of times that parts were found together. */
let calls = 0;
const partOf = (id: string) => {
  if (id === 'fatal') throw new Error('the database is broken');
  return id === 'none' ? null : { id, code: 'a code', name: `the part ${id}` };
};
const schemaOf = () =>
  buildSubgraphSchema([
    {
      typeDefs,
      resolvers: {
        Part: { __resolveReference: ({ id }: EntityReference) => partOf(String(id)) },
        Thing: { __resolveReference: ({ id }: EntityReference) => ({ id }) },
      },
    },
  ]);
const single = schemaOf();
const together = schemaOf();
resolveEntitiesTogether(together, {
  Part: (references) => {
    calls += 1;
    return references.map(({ id }) => partOf(id));
  },
});

const document = parse(`query ($r: [_Any!]!) {
  _entities(representations: $r) { __typename ... on Part { id name } ... on Thing { id } }
}`);
const parts = (...ids: unknown[]) => ids.map((id) => ({ __typename: 'Part', id }));

it.each<[string, unknown[], number]>([
  ['of one type', parts('a', 'b', 'a'), 1],
  ['that do not exist', parts('a', 'none'), 1],
  ['without any', [], 0],
  ['of several types', [...parts('a'), { __typename: 'Thing', id: 'a' }], 0],
  ['of another type', [{ __typename: 'Thing', id: 'a' }], 0],
  ['of an unknown type', [{ __typename: '__proto__', id: 'a' }], 0],
  ['without a type', [{ id: 'a' }], 0],
  ['with another key', [...parts('a'), { __typename: 'Part', code: 'c' }], 0],
  ['with an id of another type', parts('a', 7), 0],
])('answers for references %s like @apollo/subgraph', async (_which, r, expected) => {
  calls = 0;
  const [own, theirs] = [together, single].map((schema) =>
    execute({ schema, document, variableValues: { r } }),
  );
  expect(await own).toEqual(await theirs);
  expect(calls).toBe(expected);
});

it('reports an error for each entity if they cannot be found', async () => {
  const variableValues = { r: parts('a', 'fatal') };
  const { data, errors } = await execute({ schema: together, document, variableValues });
  expect(data).toEqual({ _entities: [null, null] });
  expect(errors?.map(({ message, path }) => [message, path])).toEqual([
    ['the database is broken', ['_entities', 0]],
    ['the database is broken', ['_entities', 1]],
  ]);
});
