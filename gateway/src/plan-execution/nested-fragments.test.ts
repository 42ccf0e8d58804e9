import { describe, expect, it } from 'vitest';
import { federate } from '../testing/federate.ts';

const graph = federate({
  a: {
    sdl: `
      interface Named { name: String }
      interface Sized { size: Int }
      union Thing = Book | Cup
      type Book implements Named & Sized { name: String size: Int pages: Int }
      type Cup implements Named { name: String }
      type Query { book: Book named: Named }`,
    resolvers: {
      Query: {
        book: () => ({ name: 'b', size: 1, pages: 2 }),
        named: () => ({ __typename: 'Book', name: 'b', size: 1, pages: 2 }),
      },
    },
  },
});

/** The planner requests no `__typename` of an object type, so only the selection says what the object is. */
describe('a fragment inside a fragment of a wider type', () => {
  it.each([
    ['an object type in an interface', '... on Named { ... on Book { pages } }', { pages: 2 }],
    ['an interface in a union', '... on Thing { ... on Named { name } }', { name: 'b' }],
    ['another interface', '... on Named { ... on Sized { size } }', { size: 1 }],
    ['three levels', '... on Thing { ... on Named { ... on Book { pages } } }', { pages: 2 }],
    ['no type', '... on Named { ... { ... on Book { pages } } }', { pages: 2 }],
    ['__typename', '... on Named { __typename }', { __typename: 'Book' }],
    ['another object type', '... on Named { ... on Cup { name } }', {}],
  ])('applies to an object: %s', async (_name, selection, expected) => {
    const { data, errors } = await graph.ask(`{ book { ${selection} } }`);
    expect([data, errors]).toEqual([{ book: expected }, undefined]);
  });

  it('applies to an object of an interface', async () => {
    const { data } = await graph.ask('{ named { ... on Sized { ... on Named { name } } } }');
    expect(data).toEqual({ named: { name: 'b' } });
  });
});
