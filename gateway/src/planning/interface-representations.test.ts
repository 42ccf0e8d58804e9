import { expect, it } from 'vitest';
import { createLocalGraph } from '../testing/local-graph.ts';

const key = { __resolveReference: ({ id }: Record<string, unknown>) => ({ id }) };
const book = { __resolveReference: () => ({ __typename: 'Book', id: '1' }) };

/** A graph in which one subgraph has both interfaces of a type as objects. */
const shop = createLocalGraph({
  about: {
    sdl: `type Query { media: Media }
      type Media @key(fields: "id") @interfaceObject { id: ID! }
      type Rated @key(fields: "id") @interfaceObject { id: ID! stars: Int }`,
    resolvers: {
      Query: { media: () => ({ id: '1' }) },
      Media: key,
      Rated: { ...key, stars: () => 5 },
    },
  },
  catalog: {
    sdl: `interface Media @key(fields: "id") { id: ID! }
      interface Rated @key(fields: "id") { id: ID! }
      type Book implements Media & Rated @key(fields: "id") { id: ID! }`,
    resolvers: { Media: book as never, Rated: book as never, Book: book as never },
  },
});

it('does not send an object as several interface objects at once', async () => {
  expect(await shop.run('{ media { ... on Rated { stars } } }')).toEqual({
    data: { media: { stars: 5 } },
  });
  const before = shop.requests.length;
  const text = `query ($yes: Boolean!) {
    media { ... on Rated { stars ... on Media @include(if: $yes) { __typename } } }
  }`;
  const { data, errors } = await shop.run(text, { yes: true });
  if (errors) {
    expect(errors).toMatchObject([{ extensions: { code: 'PLANNING_FAILED' } }]);
    expect(shop.requests).toHaveLength(before);
  } else expect(data).toEqual({ media: { stars: 5, __typename: 'Book' } });
});
