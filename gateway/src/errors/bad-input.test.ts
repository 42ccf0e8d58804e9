import { buildSchema, type GraphQLError, Kind, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { findBadInput } from './bad-input.ts';
import { coerceVariables } from './invalid-variables.ts';

const schema = buildSchema(`
  type Query {
    things(first: Int, last: Int, ids: [ID!], kind: Kind, size: Size): [String]
    thing(id: ID!): String
    nested(filter: Filter): String
  }
  type Mutation { make(input: MakeInput!, note: String): String }
  input MakeInput { name: String!, quantity: Int!, tags: [Tag!] }
  input Tag { label: String!, weight: Float }
  input Filter { some: MakeInput, on: Boolean }
  scalar Size
  enum Kind { RED BLUE }
`);

const INT = 'a whole number from -2,147,483,648 to 2,147,483,647';

function errorsOf(query: string, variables?: Record<string, unknown>) {
  const document = parse(query);
  const invalid = validate(schema, document);
  if (invalid.length > 0) return { document, errors: invalid };
  const operation = document.definitions.find((d) => d.kind === Kind.OPERATION_DEFINITION);
  if (!operation) throw new Error('no operation');
  const { errors } = coerceVariables(schema, operation, variables ?? {});
  return { document, errors: errors ?? [] };
}

function only(query: string, variables?: Record<string, unknown>) {
  const { document, errors } = errorsOf(query, variables);
  expect(errors).toHaveLength(1);
  return findBadInput(errors, document, schema).get(errors[0] as GraphQLError);
}

describe('findBadInput', () => {
  const literals: [string, string, string, string | undefined][] = [
    ['a text for an Int', '{ things(first: "x") }', 'first', `Int, ${INT}`],
    ['an Int past its range', '{ things(first: 2147483648) }', 'first', `Int, ${INT}`],
    ['a fraction', '{ things(first: 1.5) }', 'first', `Int, ${INT}`],
    ['a value under an alias', '{ a: things(last: true) }', 'last', `Int, ${INT}`],
    ['an unknown enum value', '{ things(kind: GREEN) }', 'kind', 'Kind, one of RED, BLUE'],
    [
      'a null in a list',
      '{ things(ids: ["a", null]) }',
      'ids[1]',
      'ID!, a text or a whole number, not null',
    ],
    ['a missing argument', '{ thing }', 'id', 'ID!, a text or a whole number, not null'],
    [
      'null for a required argument',
      '{ thing(id: null) }',
      'id',
      'ID!, a text or a whole number, not null',
    ],
    [
      'a field of an object',
      'mutation { make(input: {name: "a", quantity: "b"}) }',
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'a missing field',
      'mutation { make(input: {name: "a"}) }',
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'an unknown field of an object',
      'mutation { make(input: {name: "a", quantity: 1, colour: 2}) }',
      'input.colour',
      'MakeInput!, an object {name: String!, quantity: Int!, tags: [Tag!]}, not null',
    ],
    [
      'a field of an object in a list',
      'mutation { make(input: {name: "a", quantity: 1, tags: [{label: "l"}, {label: 3}]}) }',
      'input.tags[1].label',
      'String!, a text, not null',
    ],
    [
      'a field of a nested object',
      '{ nested(filter: {some: {name: 1, quantity: 2}}) }',
      'filter.some.name',
      'String!, a text, not null',
    ],
    [
      'an argument in a fragment',
      '{ ...F } fragment F on Query { things(first: {}) }',
      'first',
      `Int, ${INT}`,
    ],
    [
      'an argument of a directive',
      '{ things @include(if: "yes") }',
      'if',
      'Boolean!, true or false, not null',
    ],
    [
      'a missing argument of a directive',
      '{ things @skip }',
      'if',
      'Boolean!, true or false, not null',
    ],
  ];
  it.each(literals)('finds the argument of a literal: %s', (_what, query, argument, allowed) => {
    expect(only(query)).toEqual({
      code: 'BAD_USER_INPUT',
      argument,
      ...(allowed ? { allowed } : {}),
    });
  });

  const variables: [string, string, Record<string, unknown>, string, string][] = [
    [
      'a whole variable',
      'query ($n: Int) { things(first: $n) }',
      { n: 'x' },
      'first',
      `Int, ${INT}`,
    ],
    [
      'a variable that is used twice',
      'query ($n: Int) { a: things(first: $n) b: things(last: $n) }',
      { n: 1.5 },
      'first, last',
      `Int, ${INT}`,
    ],
    [
      'a missing value',
      'query ($n: ID!) { thing(id: $n) }',
      {},
      'id',
      'ID!, a text or a whole number, not null',
    ],
    [
      'null for a required argument',
      'query ($n: ID!) { thing(id: $n) }',
      { n: null },
      'id',
      'ID!, a text or a whole number, not null',
    ],
    [
      'a variable with the same name as its argument',
      'mutation ($input: MakeInput!) { make(input: $input) }',
      { input: { name: 'a', quantity: 'b' } },
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'a variable with another name than its argument',
      'mutation ($new: MakeInput!) { make(input: $new) }',
      { new: { name: 'a', quantity: 2 ** 31 } },
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'a variable inside an object literal',
      'mutation ($q: Int!) { make(input: {name: "a", quantity: $q}) }',
      { q: '7' },
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'a missing field',
      'mutation ($input: MakeInput!) { make(input: $input) }',
      { input: { name: 'a' } },
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'an unknown field of an object',
      'mutation ($in: MakeInput!) { make(input: $in) }',
      { in: { name: 'a', quantity: 1, x: 1 } },
      'input.x',
      'MakeInput!, an object {name: String!, quantity: Int!, tags: [Tag!]}, not null',
    ],
    [
      'a field of an object in a list',
      'mutation ($in: MakeInput!) { make(input: $in) }',
      { in: { name: 'a', quantity: 1, tags: [{ label: 'l' }, {}] } },
      'input.tags[1].label',
      'String!, a text, not null',
    ],
    [
      'a value whose text looks like a path',
      'mutation ($in: MakeInput!) { make(input: $in) }',
      { in: { name: 'a', quantity: ' at "in.name"; x' } },
      'input.quantity',
      `Int!, ${INT}, not null`,
    ],
    [
      'an argument in a fragment',
      'query ($n: Int) { ...F } fragment F on Query { things(first: $n) }',
      { n: [] },
      'first',
      `Int, ${INT}`,
    ],
    [
      'an argument of a directive',
      'query ($b: Boolean!) { things @include(if: $b) }',
      { b: 'x' },
      'if',
      'Boolean!, true or false, not null',
    ],
  ];
  it.each(variables)(
    'finds the argument of a variable: %s',
    (_what, query, values, argument, allowed) => {
      expect(only(query, values)).toEqual({ code: 'BAD_USER_INPUT', argument, allowed });
    },
  );

  it.each([
    ['an unknown field', '{ nothing }'],
    ['an unknown argument', '{ things(size_: 1) }'],
    ['a variable of another type', 'query ($n: String) { things(first: $n) }'],
    ['an unused variable', 'query ($n: Int) { things }'],
    ['an undefined variable', '{ things(first: $n) }'],
  ])('ignores %s', (_what, query) => {
    expect(only(query)).toBeUndefined();
  });

  it('finds the argument of each error in several variables', () => {
    const variables = { a: 1, b: [{ label: 1 }, { label: 'l', weight: 'w' }] };
    const query = `mutation ($a: String!, $b: [Tag!]) {
      make(note: $a, input: {name: "n", quantity: 1, tags: $b})
    }`;
    const { document, errors } = errorsOf(query, variables);
    const found = findBadInput(errors, document, schema);
    expect(errors.map((error) => found.get(error)?.argument)).toEqual([
      'note',
      'input.tags[0].label',
      'input.tags[1].weight',
    ]);
  });

  it('takes linear time for any text in a value', () => {
    const variables = { n: { [` at "${'a'.repeat(100_000)}`]: 1 } };
    const { document, errors } = errorsOf('query ($n: Int) { things(first: $n) }', variables);
    const start = performance.now();
    findBadInput(errors, document, schema);
    expect(performance.now() - start).toBeLessThan(200);
  });

  it('limits the number of errors and the length of argument paths', () => {
    const unknown = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`f${n}`, n]));
    const query = `mutation ($tag: Tag!) {
      make(input: {name: "n", quantity: 1, tags: [${'$tag '.repeat(500)}]})
    }`;
    const variables = { tag: { ['x'.repeat(10_000)]: 1, ...unknown } };
    const { document, errors } = errorsOf(query, variables);
    expect(errors).toHaveLength(10);
    const found = findBadInput(errors, document, schema);
    const lengths = [...found.values()].map(({ argument }) => argument.length);
    expect(lengths).toHaveLength(10);
    expect(Math.max(...lengths)).toBe(501);
    expect(found.get(errors[9] as GraphQLError)?.argument.split(', ')).toHaveLength(5);
  });
});
