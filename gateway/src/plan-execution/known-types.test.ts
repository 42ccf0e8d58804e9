import { expect, it } from 'vitest';
import { collectParts, mergeParts } from '../testing/collect-parts.ts';
import { createLocalGraph } from '../testing/local-graph.ts';
import { keepTypes } from './known-types.ts';

const key = { __resolveReference: ({ id }: Record<string, unknown>) => ({ id }) };
const isBook = (id: unknown) => id === '1';
const typed = ({ id }: Record<string, unknown>) => ({
  __typename: isBook(id) ? 'Book' : 'Film',
  id,
});
let isLate: 'catalog' | 'reviews' = 'reviews';
const media = (name: string) => async () => {
  if (isLate === name) for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  return ['1', '2'].map((id) => (name === 'catalog' ? typed({ id }) : { id }));
};

/** A graph in which two subgraphs return the same media, of which one does not know their types. */
const shop = createLocalGraph({
  reviews: {
    sdl: `type Query { media: [Media!] @shareable }
      type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int! text: String }`,
    resolvers: {
      Query: { media: media('reviews') },
      Media: { ...key, stars: ({ id }) => Number(id), text: ({ id }) => `about ${id}` },
    },
  },
  catalog: {
    sdl: `type Query { media: [Media!] @shareable }
      interface Media @key(fields: "id") { id: ID! }
      type Book implements Media @key(fields: "id") { id: ID! pages: Int size: Int }
      type Film implements Media @key(fields: "id") { id: ID! minutes: Int }`,
    resolvers: {
      Query: { media: media('catalog') },
      Media: { __resolveReference: typed as never },
      Book: { ...key, pages: () => 100, size: () => 7 },
      Film: { ...key, minutes: () => 90 },
    },
  },
});

const ORDERS = ['catalog', 'reviews'] as const;

it.each(ORDERS)('completes deferred fragments if %s answers last', async (late) => {
  isLate = late;
  const text = `{ media {
    ... on Book { pages text } text ... on Book @defer { size pages } id stars ... @defer { stars text }
  } }`;
  const before = shop.requests.length;
  const parts = await collectParts((parts) => shop.run(text, {}, { parts }) as never);
  const first = shop.requests.slice(before, before + 2).map(({ subgraph }) => subgraph);
  expect(first.sort()).toEqual(['catalog', 'reviews']);
  expect(mergeParts(parts)).toEqual({
    errors: [],
    data: {
      media: [
        { pages: 100, text: 'about 1', id: '1', stars: 1, size: 7 },
        { text: 'about 2', id: '2', stars: 2 },
      ],
    },
  });
});

it('replaces only types that are interfaces, in lists and objects', () => {
  const { supergraphSchema } = shop.supergraph;
  const answer = {
    a: [[{ __typename: 'Media' }, { __typename: 'Film' }, { __typename: 'Media' }, null]],
    b: { __typename: 'Media', c: { __typename: 'Media' } },
  };
  const known = {
    a: [[{ __typename: 'Book' }, { __typename: 'Book' }, { __typename: 'Media' }]],
    b: { c: { __typename: 'Film' } },
  };
  keepTypes(supergraphSchema, known, answer);
  expect(answer).toEqual({
    a: [[{ __typename: 'Book' }, { __typename: 'Film' }, { __typename: 'Media' }, null]],
    b: { __typename: 'Media', c: { __typename: 'Film' } },
  });
});
