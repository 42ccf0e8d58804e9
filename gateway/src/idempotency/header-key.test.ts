import fc from 'fast-check';
import { getOperationAST, graphqlSync, parse, specifiedRules, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { buildSupergraph } from '../supergraph.ts';
import { composeToys } from '../testing/toy-graph.ts';
import { createPassHeaderKey, type KeyedMutation } from './header-key.ts';
import { readKeyPlaces } from './key-places.ts';

const supergraph = buildSupergraph(composeToys());
const { schema } = supergraph;
const passHeaderKey = createPassHeaderKey(supergraph);

/** Passes a key to a mutation; by default to one without variables. */
function pass(
  query: string,
  variables: KeyedMutation['variables'] = {},
  { keys = ['k1'], operationName = null as string | null } = {},
): KeyedMutation {
  const document = parse(query);
  const operation = getOperationAST(document, operationName);
  if (!operation) throw new Error('there is no such operation');
  return passHeaderKey(keys, { query, variables }, { document, operation });
}

/** Returns the arguments with which graphql-js executes the only root field. */
function argumentsOf(
  { query, variables }: KeyedMutation,
  operationName: string | null = null,
): Record<string, unknown> {
  const executed: Record<string, unknown>[] = [];
  const root = (args: Record<string, unknown>) => {
    executed.push(args);
    return { id: '1' };
  };
  const { errors } = graphqlSync({
    schema,
    source: query,
    rootValue: { touch: root, rename: root },
    variableValues: variables,
    operationName,
  });
  expect(errors).toBeUndefined();
  expect(executed).toHaveLength(1);
  return executed[0] ?? {};
}

it('finds the marks of arguments and of input fields under any name', () => {
  expect(Object.fromEntries(readKeyPlaces(supergraph))).toEqual({
    rename: { path: ['input', 'request'], type: 'ID' },
    touch: { path: ['request'], type: 'String' },
    count: undefined,
  });
});

it('finds no mark on a member that clients do not see', () => {
  const hidden = composeToys(undefined, undefined, (sdl) =>
    sdl
      .replace('"@composeDirective"]', '"@composeDirective", "@inaccessible"]')
      .replace('request: String @retryKey', 'request: String @retryKey @inaccessible'),
  );
  expect(readKeyPlaces(buildSupergraph(hidden)).get('touch')).toBeUndefined();
});

/** A way to write the argument `request`. */
interface Written {
  readonly text: string;
  readonly definitions: readonly string[];
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whether the argument has a value. */
  readonly isSet: boolean;
  /** The argument `note`, if it uses the same variable. */
  readonly note?: string;
}

const KEY = 'key-1';

const written: fc.Arbitrary<Written> = fc
  .record({
    as: fc.constantFrom('absent', 'null', 'literal', 'variable', 'absent variable', 'default'),
    isShared: fc.boolean(),
    name: fc.constantFrom('k', 'idempotencyKey'),
  })
  .map(({ as, isShared, name }): Written => {
    const none = { definitions: [], variables: {} };
    if (as === 'absent') return { ...none, text: '', isSet: false };
    if (as === 'null') return { ...none, text: 'request: null', isSet: false };
    if (as === 'literal') return { ...none, text: `request: "${KEY}"`, isSet: true };
    const variable = {
      text: `request: $${name}`,
      ...(isShared ? { note: `note: $${name}` } : {}),
      definitions: [`$${name}: String${as === 'default' ? ` = "${KEY}"` : ''}`],
    };
    if (as === 'variable') return { ...variable, variables: { [name]: KEY }, isSet: true };
    if (as === 'default') return { ...variable, variables: {}, isSet: true };
    return { ...variable, variables: isShared ? { [name]: null } : {}, isSet: false };
  });

/** A mutation in which the argument `request` is written in any way. */
const mutations = fc
  .record({
    argument: written,
    isLast: fc.boolean(),
    where: fc.constantFrom('operation', 'inline', 'fragment'),
    named: fc.boolean(),
    others: fc.boolean(),
    comma: fc.constantFrom(', ', '\n  # a comment, with (brackets\n  '),
    id: fc.constantFrom('id: "7"', 'id: $id'),
  })
  .map(({ argument, isLast, where, named, others, comma, id }) => {
    const parts = [id, argument.note ?? '', 'again: true'];
    const all = isLast ? [...parts, argument.text] : [argument.text, ...parts];
    const root = `a: touch(${all.filter(Boolean).join(comma)}) { id }`;
    const declared = [...argument.definitions, ...(id === 'id: $id' ? ['$id: ID!'] : [])];
    const definitions = declared.length > 0 ? `(${declared.join(comma)})` : '';
    const body = {
      operation: `{ __typename ${root} }`,
      inline: `{ ... on Mutation { ${root} } }`,
      fragment: '{ ...F ...F }',
    }[where];
    const isNamed = named || others;
    const query = [
      ...(others ? [`query Other { items(first: 1) { id } }`] : []),
      `mutation${isNamed ? ' M' : ''}${definitions} ${body}`,
      ...(where === 'fragment' ? [`fragment F on Mutation { ${root} }`] : []),
    ].join('\n');
    const { variables } = argument;
    const withId = id === 'id: $id' ? { ...variables, id: '7' } : variables;
    return { argument, query, variables: withId, operationName: isNamed ? 'M' : null };
  });

it('changes nothing but the key, however the mutation is written', () => {
  fc.assert(
    fc.property(mutations, ({ argument, query, variables, operationName }) => {
      const before = argumentsOf({ query, variables }, operationName);
      const keyed = pass(query, variables, { keys: [KEY], operationName });
      expect(argumentsOf(keyed, operationName)).toEqual({ ...before, request: KEY });
      if (argument.isSet) expect(keyed).toEqual({ query, variables });
      // The text does not depend on the key, so that the plan is shared.
      if (!argument.isSet) {
        const next = pass(query, variables, { keys: ['key-2'], operationName });
        expect(next.query).toBe(keyed.query);
        expect(argumentsOf(next, operationName)).toEqual({ ...before, request: 'key-2' });
      }
    }),
    { seed: 18, numRuns: 400 },
  );
});

describe('a key inside an input object', () => {
  const written = 'mutation M($input: RenameInput!) { rename(input: $input) { id } }';
  const input = { id: '1', name: 'x' };

  it('enters the value of a variable, and keeps the text', () => {
    expect(pass(written, { input })).toEqual({
      query: written,
      variables: { input: { ...input, request: 'k1' } },
    });
    expect(pass(written, { input: { ...input, request: null } }).variables).toEqual({
      input: { ...input, request: 'k1' },
    });
  });

  it('does not change the variables of the request', () => {
    const variables = { input: { ...input } };
    pass(written, variables);
    expect(variables).toEqual({ input });
  });

  it.each([
    ['mutation { rename(input: {id: "1", name: "x"}) { id } }', {}],
    ['mutation { rename(input: {id: "1", name: "x", request: null}) { id } }', {}],
    ['mutation($k: ID) { rename(input: {id: "1", name: "x", request: $k}) { id } }', {}],
    ['mutation($n: String!) { rename(input: {id: "1", name: $n}) { id } }', { n: 'x' }],
    ['mutation($input: RenameInput! = {id: "1", name: "x"}) { rename(input: $input) { id } }', {}],
  ])('enters %s', (query, variables) => {
    expect(argumentsOf(pass(query, variables))).toEqual({ input: { ...input, request: 'k1' } });
  });

  it.each<[string, object]>([
    ['mutation { rename { id } }', {}],
    ['mutation { rename(input: null) { id } }', {}],
    [written, {}],
    [written, { input: null }],
  ])('is rejected if the object is missing: %s', (query, variables) => {
    expect(() => pass(query, { ...variables })).toThrow(
      "'input', which contains the key, is missing",
    );
  });
});

describe('a request is rejected', () => {
  const touch = 'mutation { touch(id: "1") { id } }';

  it.each<[string, string, Record<string, unknown>, string[]]>([
    ['without a marked argument', 'mutation { count }', {}, ['k1']],
    ['with several root fields', 'mutation { count other: count }', {}, ['k1']],
    [
      'with an alias of the same field',
      'mutation { touch(id: "1") { id } b: touch(id: "1") { id } }',
      {},
      ['k1'],
    ],
    [
      'with a root field in a fragment',
      'mutation { touch(id: "1") { id } ...F } fragment F on Mutation { count }',
      {},
      ['k1'],
    ],
    ['with another key', 'mutation { touch(id: "1", request: "k2") { id } }', {}, ['k1']],
    [
      'with another key in a variable',
      'mutation($k: String) { touch(id: "1", request: $k) { id } }',
      { k: 'k2' },
      ['k1'],
    ],
    ['with a repeated header', touch, {}, ['k1', 'k1']],
    ['with an empty header', touch, {}, ['']],
    ['with bytes beyond ASCII', touch, {}, ['schlüssel']],
    ['with a control character', touch, {}, ['a\tb']],
  ])('%s', (_what, query, variables, keys) => {
    expect(() => pass(query, variables, { keys })).toThrow(
      expect.objectContaining({ status: 400, extensions: { code: 'BAD_REQUEST' } }),
    );
  });
});

it.each<[string, Record<string, unknown>]>([
  ['mutation { unknown(id: "1") { id } }', {}],
  ['mutation { touch(id: "1", request: [1]) { id } }', {}],
  ['mutation { touch(id: "1", request: $undefined) { id } }', {}],
  ['mutation($k: String) { touch(id: "1", request: $k) { id } }', { k: { a: 1 } }],
  ['mutation($k: RenameInput!) { rename(input: $k) { id } }', { k: 'text' }],
  ['mutation { rename(input: "text") { id } }', {}],
  ['mutation { ...Unknown }', {}],
])('leaves an invalid mutation to validation: %s', (query, variables) => {
  expect(pass(query, variables)).toEqual({ query, variables });
});

it('keeps the lines of the text', () => {
  const query = 'mutation\n{\n  touch(\n    id: "1"\n    unknown: 2\n  ) { id }\n}';
  const errors = validate(schema, parse(pass(query).query), specifiedRules);
  expect(errors.map(({ locations }) => locations?.[0]?.line)).toEqual([5]);
});
