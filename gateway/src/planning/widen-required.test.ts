import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createLocalGraph } from '../testing/local-graph.ts';
import { createWidening } from './widen-required.ts';

const MEDIA = ['Film', 'Film', 'Book'].map((type, index) => ({
  __typename: type,
  id: String(index + 1),
  title: `${type} ${index + 1}`,
  weight: index + 1,
  box: { size: 10 * (index + 1) },
  secret: index,
}));
const stored = { __resolveReference: ({ id }: Record<string, unknown>) => MEDIA[Number(id) - 1] };
const FIELDS = '{ id: ID! title: String weight: Int box: Box secret: Int @inaccessible }';
const REFUSED = 'can only be selected for all types';

const shop = createLocalGraph({
  catalog: {
    sdl: `type Query { media: [Media!]! film: Film }
      interface Media @key(fields: "id") ${FIELDS}
      type Film implements Media @key(fields: "id") ${FIELDS}
      type Book implements Media @key(fields: "id") ${FIELDS}
      type Box @shareable { size: Int }`,
    resolvers: {
      Query: { media: () => MEDIA, film: () => MEDIA[0] },
      Media: stored,
      Film: stored,
      Book: stored,
    },
  },
  reviews: {
    sdl: `type Media @key(fields: "id") @interfaceObject {
        id: ID! weight: Int @external box: Box @external secret: Int @external
        hidden: Int @requires(fields: "secret")
        stars: Int score: Int @requires(fields: "weight") room: Int @requires(fields: "box { size }")
      }
      type Box @shareable { size: Int }`,
    resolvers: {
      Media: {
        __resolveReference: (representation) => representation,
        stars: ({ id }) => Number(id),
        score: ({ weight }) => Number(weight) * 2,
        hidden: ({ secret }) => Number(secret) + 6,
        room: ({ box }) => (box as { size: number }).size * 3,
      },
    },
  },
});

describe('a field of an interface object that requires others', () => {
  const score = [undefined, undefined, 6];
  const room = [undefined, undefined, 90];
  it.each([
    ['stars ... on Book { score }', { stars: [1, 2, 3], score }],
    ['... on Book { score } stars', { stars: [1, 2, 3], score }],
    ['... on Film { stars } ... on Book { stars score }', { stars: [1, 2, 3], score }],
    ['stars ...B', { stars: [1, 2, 3], score, room }],
    [
      'stars ... @include(if: true) { ... on Media { ... on Book { score } } }',
      { stars: [1, 2, 3], score },
    ],
    ['score ... on Book { room }', { score: [2, 4, 6], room }],
    ['... on Book { score }', { score }],
    ['weight ... on Book { score }', { weight: [1, 2, 3], score }],
    [
      '... on Book { score } id weight stars',
      { id: ['1', '2', '3'], weight: [1, 2, 3], stars: [1, 2, 3], score },
    ],
    ['... on Film { stars } ... on Book { score }', { stars: [1, 2, undefined], score }],
    ['stars score room', { stars: [1, 2, 3], score: [2, 4, 6], room: [30, 60, 90] }],
  ])('may be selected for some types only: %s', async (selection, expected) => {
    const fragment = selection.includes('...B') ? 'fragment B on Book { score room }' : '';
    const { data, errors } = await shop.run(`{ media { ${selection} } } ${fragment}`);
    expect(errors).toBeUndefined();
    const media = MEDIA.map((_, index) =>
      Object.fromEntries(
        Object.entries(expected).flatMap(([name, values]) =>
          values[index] === undefined ? [] : [[name, values[index]]],
        ),
      ),
    );
    expect(data).toEqual({ media });
  });

  it('is refused for some types only if it requires an inaccessible field', async () => {
    const { data, errors } = await shop.run('{ media { stars ... on Book { hidden } } }');
    expect(errors?.[0]?.message).toContain(REFUSED);
    expect(data).toBeNull();
    expect(await shop.run('{ media { stars hidden } }')).toHaveProperty('data.media.2.hidden', 8);
    expect(await shop.run('{ media { title id ... on Book { hidden } } }')).toHaveProperty(
      'data.media.2.hidden',
      8,
    );
  });

  it.each([
    '{ media { stars score } film { stars ... on Film { score } } }',
    '{ media { title ... on Book { weight } } }',
    '{ media { ... on Book { stars score } } }',
  ])(
    'is not required for further types if all fields are selected for the same ones: %s',
    (text) => {
      const document = parse(text);
      expect(createWidening(shop.supergraph)?.(document)).toBe(document);
    },
  );
});
