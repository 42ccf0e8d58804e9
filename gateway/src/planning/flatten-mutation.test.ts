import { parse } from 'graphql';
import { expect, it } from 'vitest';
import { federate } from '../testing/federate.ts';

const done: number[] = [];
const { ask, plan } = federate({
  a: {
    sdl: 'type Query { ready: Boolean } type Mutation { add(n: Int = 0): Int }',
    resolvers: {
      Mutation: {
        add: (_parent: unknown, { n }: { n: number }) => {
          done.push(n);
          return done.length;
        },
      },
    },
  },
});

it.each([
  ['... on Mutation { add } ...F', 'fragment F on Mutation { b: add(n: 1) add }', [0, 1]],
  ['... { a: add(n: 1) } b: add(n: 2) ... { c: add(n: 3) }', '', [1, 2, 3]],
  [
    '...F b: add(n: 2) ...G',
    'fragment F on Mutation { a: add ...G } fragment G on Mutation { c: add(n: 3) }',
    [0, 3, 2],
  ],
  [
    '... @include(if: $no) { a: add } b: add(n: 2) ... @skip(if: $no) { c: add(n: 3) @include(if: $yes) }',
    '',
    [2, 3],
  ],
  ['add b: add(n: 1) add c: add(n: 2)', '', [0, 1, 2]],
  ['add b: add(n: 1) add @include(if: $yes)', '', [0, 1]],
  ['add @skip(if: $no) b: add(n: 1) ... @skip(if: $no) { add }', '', [0, 1]],
  ['... @include(if: $yes) { a: add @include(if: $no) b: add(n: 1) } c: add(n: 2)', '', [1, 2]],
])(
  'executes mutations in the order of the document: %s',
  async (selection, fragments, expected) => {
    done.splice(0);
    const variables = [
      ...(selection.includes('$yes') ? ['$yes: Boolean = true'] : []),
      ...(selection.includes('$no') ? ['$no: Boolean = false'] : []),
    ];
    const head = variables.length > 0 ? `mutation (${variables.join(', ')})` : 'mutation';
    const { errors } = await ask(`${head} { ${selection} } ${fragments}`);
    expect(errors).toBeUndefined();
    expect(done).toEqual(expected);
  },
);

it.each([
  [{ yes: true }, [0, 1]],
  [{ yes: false }, [1, 0]],
  [{}, [0, 1]],
])(
  'executes a repeated mutation at the place that its conditions choose: %o',
  async (variables, expected) => {
    done.splice(0);
    const { errors } = await ask(
      'mutation ($yes: Boolean! = true) { add @include(if: $yes) b: add(n: 1) add @skip(if: $yes) }',
      variables,
    );
    expect(errors).toBeUndefined();
    expect(done).toEqual(expected);
  },
);

it('executes a repeated mutation if a constant excludes it once', async () => {
  done.splice(0);
  expect(await ask('mutation { a: add add(n: 2) @skip(if: true) add(n: 2) }')).toEqual({
    data: { a: 1, add: 2 },
  });
  expect(done).toEqual([0, 2]);
});

it('refuses a repeated mutation if its place is not known', () => {
  const document = parse(
    'mutation ($yes: Boolean!) { add @include(if: $yes) b: add(n: 1) add @skip(if: $yes) }',
  );
  expect(() => plan(document, undefined)).toThrow('several times with different conditions');
});
