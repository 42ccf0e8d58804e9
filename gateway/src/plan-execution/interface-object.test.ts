import { expect, it } from 'vitest';
import { createLocalGraph } from '../testing/local-graph.ts';

const MEDIA: Record<string, { type: 'Book' | 'Film'; title: string }> = {
  '1': { type: 'Book', title: 'one' },
  '2': { type: 'Film', title: 'two' },
};
const reference = ({ id }: Record<string, unknown>) => {
  const found = MEDIA[String(id)];
  return found ? { __typename: found.type, id, ...found } : null;
};

/** A graph in which the second subgraph knows media only as `@interfaceObject`. */
const shop = createLocalGraph({
  catalog: {
    sdl: `type Query { media: [Media!]! book: Book }
      interface Media @key(fields: "id") { id: ID! title: String! }
      type Book implements Media @key(fields: "id") { id: ID! title: String! pages: Int }
      type Film implements Media @key(fields: "id") { id: ID! title: String! minutes: Int }`,
    resolvers: {
      Query: {
        media: () => ['1', '2'].map((id) => reference({ id })),
        book: () => reference({ id: '1' }),
      },
      Media: { __resolveReference: reference as never },
      Book: { __resolveReference: reference, pages: () => 100 },
      Film: { __resolveReference: reference, minutes: () => 90 },
    },
  },
  reviews: {
    sdl: `type Query { loved: [Media!]! best: Review }
      type Mutation { review(id: ID!, stars: Int!): Media }
      type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int! reviews: [Review!]! similar: [Media!]! }
      type Review { text: String about: Media }`,
    resolvers: {
      Query: {
        loved: () => [{ id: '2' }, { id: '1' }],
        best: () => ({ text: 'best', about: { id: '1' } }),
      },
      Mutation: { review: (_, { id }) => ({ id }) },
      Media: {
        __resolveReference: ({ id }) => ({ id }),
        stars: ({ id }) => Number(id) + 3,
        reviews: ({ id }) => [{ text: `about ${id}`, about: { id } }],
        similar: ({ id }) => [{ id: id === '1' ? '2' : '1' }],
      },
    },
  },
});

const CASES: readonly (readonly [what: string, text: string, data: unknown])[] = [
  [
    'its fields through the interface',
    '{ media { id title stars } }',
    {
      media: [
        { id: '1', title: 'one', stars: 4 },
        { id: '2', title: 'two', stars: 5 },
      ],
    },
  ],
  [
    'its fields through an implementation',
    '{ book { stars pages } }',
    { book: { stars: 4, pages: 100 } },
  ],
  [
    'the types of entities that it returns itself',
    '{ loved { __typename id stars } }',
    {
      loved: [
        { __typename: 'Film', id: '2', stars: 5 },
        { __typename: 'Book', id: '1', stars: 4 },
      ],
    },
  ],
  [
    'fields of implementations of entities that it returns itself',
    '{ loved { title ... on Book { pages } ... on Film { minutes stars } } }',
    {
      loved: [
        { title: 'two', minutes: 90, stars: 5 },
        { title: 'one', pages: 100 },
      ],
    },
  ],
  [
    'nested entities',
    '{ book { similar { __typename stars similar { title } } reviews { text about { title kind: __typename } } } }',
    {
      book: {
        similar: [{ __typename: 'Film', stars: 5, similar: [{ title: 'one' }] }],
        reviews: [{ text: 'about 1', about: { title: 'one', kind: 'Book' } }],
      },
    },
  ],
  [
    'only the type',
    '{ best { about { __typename } } }',
    { best: { about: { __typename: 'Book' } } },
  ],
  [
    'aliases that are named like its key and type',
    '{ loved { id: title __typename: stars title: id } }',
    {
      loved: [
        { id: 'two', __typename: 5, title: '2' },
        { id: 'one', __typename: 4, title: '1' },
      ],
    },
  ],
  [
    'the result of a mutation',
    'mutation { review(id: "2", stars: 1) { __typename title ... on Film { minutes } } }',
    { review: { __typename: 'Film', title: 'two', minutes: 90 } },
  ],
  [
    'conditions',
    '{ loved { ... on Film @include(if: true) { title } ... on Book @skip(if: true) { title } ...F @include(if: true) } } fragment F on Media { stars }',
    { loved: [{ title: 'two', stars: 5 }, { stars: 4 }] },
  ],
];

it.each(CASES)('an interface object answers %s', async (_what, text, data) => {
  expect(await shop.run(text)).toEqual({ data });
});

it('an entity that the other subgraph does not know is null', async () => {
  delete MEDIA['2'];
  const { data, errors } = await shop.run('{ best { about { similar { title } } } }');
  MEDIA['2'] = { type: 'Film', title: 'two' };
  expect(data).toEqual({ best: { about: null } });
  expect(errors?.length).toBeGreaterThan(0);
});
