import { UNRESTRICTED } from '@gudang/auth';
import fc from 'fast-check';
import { buildSchema, getOperationAST, graphql, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { AnswerParts } from '../defer/answer-parts.ts';
import { RequestError } from '../errors/request-error.ts';
import { placeRequest } from '../live/fanout/stream-placement.ts';
import { createSubscriptionPlanner, EVENT_SERVICE } from '../live/planning/subscription-plan.ts';
import type { ExecutedOperation, Values } from '../plan-execution/plan-executor.ts';
import {
  createQueryExecutor,
  type ReadyContext,
  type ReadyOperation,
} from '../request-pipeline/query-executor.ts';
import { createLocalGraph } from '../testing/local-graph.ts';
import { readConditions } from './condition-variants.ts';

/** The fields of each item that its own subgraph resolves. */
const STORED = new Map(
  ['1', '2', '3'].map((id) => {
    const n = Number(id);
    const type = n === 3 ? 'Book' : 'Product';
    return [id, { __typename: type, id, title: `title ${id}`, weight: n, price: 10 * n }];
  }),
);
const FOLLOWING: Readonly<Record<string, string>> = { 1: '2', 2: '1', 3: '3' };

const entity = {
  __resolveReference: (representation: Record<string, unknown>) => representation,
};
const stored = { __resolveReference: ({ id }: Record<string, unknown>) => STORED.get(String(id)) };
/** Computes a field from a field that it requires, which must have been sent. */
const times = (factor: number, read: (item: Record<string, unknown>) => unknown) => {
  return (item: Record<string, unknown>) => {
    const value = read(item);
    if (typeof value !== 'number') throw new Error('a required field is missing');
    return value * factor;
  };
};
const sizeOf = ({ dims }: Record<string, unknown>) => (dims as { size?: unknown } | null)?.size;
const of = (id: string) => () => STORED.get(id);

const shop = createLocalGraph({
  catalog: {
    sdl: `type Query { product: Product products: [Product!]! media: [Media] }
      type Mutation { touch: Product grow(by: Int = 1): Product }
      type Subscription { changed: Product }
      interface Media @key(fields: "id") { id: ID! title: String weight: Int }
      type Product implements Media @key(fields: "id") { id: ID! title: String weight: Int price: Int dims: Dims next: Product }
      type Book implements Media @key(fields: "id") { id: ID! title: String weight: Int }
      type Dims @shareable { size: Int }`,
    resolvers: {
      Query: {
        product: of('1'),
        products: () => [STORED.get('1'), STORED.get('2')],
        media: () => [...STORED.values()],
      },
      Mutation: { touch: of('1'), grow: of('2') },
      Product: {
        ...stored,
        dims: ({ id }) => ({ size: 100 * Number(id) }),
        next: ({ id }) => STORED.get(FOLLOWING[String(id)] ?? ''),
      },
      Book: stored,
      Media: stored,
    },
  },
  inventory: {
    sdl: `type Product @key(fields: "id") { id: ID! price: Int @external dims: Dims @external rating: Int shipping: Int @requires(fields: "price") volume: Int @requires(fields: "dims { size }") }
      type Dims @shareable { size: Int }`,
    resolvers: {
      Product: {
        ...entity,
        rating: ({ id }) => Number(id) + 5,
        shipping: times(2, ({ price }) => price),
        volume: times(3, sizeOf),
      },
    },
  },
  prices: {
    sdl: `type Product @key(fields: "id") { id: ID! shipping: Int @external total: Int @requires(fields: "shipping") label: String twin: Product }`,
    resolvers: {
      Product: {
        ...entity,
        total: times(7, ({ shipping }) => shipping),
        label: ({ id }) => `label ${id}`,
        twin: ({ id }) => ({ id }),
      },
    },
  },
  reviews: {
    sdl: `type Media @key(fields: "id") @interfaceObject { id: ID! weight: Int @external stars: Int score: Int @requires(fields: "weight") }`,
    resolvers: {
      Media: {
        ...entity,
        stars: ({ id }) => Number(id),
        score: times(11, ({ weight }) => weight),
      },
    },
  },
});

/** The same graph in one schema, executed by graphql-js. */
const merged = buildSchema(`
  type Query { product: Product products: [Product!]! media: [Media] }
  type Mutation { touch: Product grow(by: Int = 1): Product }
  type Subscription { changed: Product }
  interface Media { id: ID! title: String weight: Int stars: Int score: Int }
  type Product implements Media { id: ID! title: String weight: Int price: Int dims: Dims next: Product rating: Int shipping: Int volume: Int twin: Product total: Int label: String stars: Int score: Int }
  type Book implements Media { id: ID! title: String weight: Int stars: Int score: Int }
  type Dims { size: Int }`);

function wholeItem(id: string): Record<string, unknown> {
  const n = Number(id);
  return {
    ...STORED.get(id),
    dims: { size: 100 * n },
    next: () => wholeItem(FOLLOWING[id] ?? ''),
    rating: n + 5,
    shipping: 20 * n,
    volume: 300 * n,
    twin: () => wholeItem(id),
    total: 140 * n,
    label: `label ${id}`,
    stars: n,
    score: 11 * n,
  };
}
const wholeRoot = {
  product: () => wholeItem('1'),
  products: () => [wholeItem('1'), wholeItem('2')],
  media: () => ['1', '2', '3'].map(wholeItem),
  touch: () => wholeItem('1'),
  grow: () => wholeItem('2'),
  changed: () => wholeItem('1'),
};

interface Asked {
  readonly text: string;
  readonly variables: Values;
}

async function expectAnswerOfGraphql({ text, variables }: Asked, answer: unknown): Promise<void> {
  // graphql-js executes a subscription's field as that of a query.
  const source = text.replace('subscription', 'query').replace('changed', 'changed: product');
  const schema = merged;
  const whole = { schema, source, rootValue: wholeRoot, variableValues: variables };
  const { data, errors } = await graphql(whole);
  expect(errors).toBeUndefined();
  expect(answer, text).toEqual({ data: JSON.parse(JSON.stringify(data)) });
}

const LEAVES: Readonly<Record<string, readonly string[]>> = {
  Product:
    'id price rating label shipping total volume shipping total volume stars score __typename'.split(
      ' ',
    ),
  Media: 'id title weight stars score __typename'.split(' '),
  Book: 'id title weight stars score'.split(' '),
};
const OBJECTS: Readonly<Record<string, readonly string[]>> = { Product: ['next', 'twin'] };
const FRAGMENT_TYPES: Readonly<Record<string, readonly string[]>> = {
  Product: ['Product', 'Media'],
  Media: ['Product', 'Book', 'Media'],
  Book: ['Book'],
};

const condition: fc.Arbitrary<string> = fc.oneof(
  fc.constant(''),
  fc
    .tuple(
      fc.constantFrom('skip', 'include'),
      fc.constantFrom('$a', '$b', '$a', '$b', '$c', '$d', 'true', 'false'),
    )
    .map(([name, value]) => ` @${name}(if: ${value})`),
);

/** Generates the selections of a type, with conditions at any place. */
function selectionsOf(type: string, depth: number, spreads: boolean): fc.Arbitrary<string> {
  const leaf = fc
    .tuple(fc.constantFrom(...(LEAVES[type] ?? [])), condition)
    .map(([name, when]) => `${name}${when}`);
  const aliased = fc
    .tuple(fc.constantFrom('price', 'id', 'x'), leaf)
    .map(([alias, one]) => `${alias}Of${one.split(' ')[0]}: ${one}`);
  const options: { weight: number; arbitrary: fc.Arbitrary<string> }[] = [
    { weight: 6, arbitrary: leaf },
    { weight: 1, arbitrary: aliased },
  ];
  if (spreads && type === 'Product') {
    const name = fc.constantFrom('F', 'G');
    const spread = fc.tuple(name, condition).map(([one, when]) => `...${one}${when}`);
    options.push({ weight: 1, arbitrary: spread });
  }
  if (depth > 0) {
    const fragment = fc
      .constantFrom('', ...(FRAGMENT_TYPES[type] ?? []))
      .chain((on) =>
        fc
          .tuple(condition, selectionsOf(on || type, depth - 1, spreads))
          .map(([when, inner]) => `...${on ? ` on ${on}` : ''}${when} { ${inner} }`),
      );
    options.push({ weight: 3, arbitrary: fragment });
    for (const name of OBJECTS[type] ?? []) {
      const object = fc
        .tuple(condition, selectionsOf('Product', depth - 1, spreads))
        .map(([when, inner]) => `${name}${when} { ${inner} }`);
      options.push({ weight: 1, arbitrary: object });
    }
  }
  return fc.array(fc.oneof(...options), { minLength: 1, maxLength: 3 }).map((all) => all.join(' '));
}

const variables: fc.Arbitrary<Values> = fc.record(
  { a: fc.boolean(), b: fc.boolean(), c: fc.boolean(), d: fc.boolean() },
  { requiredKeys: ['a', 'b'] },
);

const HEAD = '($a: Boolean!, $b: Boolean!, $c: Boolean! = true, $d: Boolean = false)';

/** Generates operations that use all of their variables and fragments. */
function operations(kind: string, roots: Readonly<Record<string, string>>): fc.Arbitrary<Asked> {
  const root = fc
    .constantFrom(...Object.entries(roots))
    .chain(([name, type]) =>
      fc
        .tuple(kind === 'subscription' ? fc.constant('') : condition, selectionsOf(type, 1, true))
        .map(([when, inner]) => `${name}${when} { ${inner} }`),
    );
  const use =
    '... @skip(if: $a) @include(if: $b) { ... @skip(if: $c) @include(if: $d) { ...F ...G } }';
  return fc
    .record({
      fields: fc.array(root, { minLength: 1, maxLength: kind === 'subscription' ? 1 : 2 }),
      f: selectionsOf('Product', 1, false),
      g: selectionsOf('Product', 1, false),
      variables,
    })
    .map(({ fields, f, g, variables }) => ({
      text: `${kind} ${HEAD} { ${fields.map((one) => one.replace(/ }$/, kind === 'query' && !one.startsWith('product') ? ` ... on Product { ${use} } }` : ` ${use} }`)).join(' ')} }
        fragment F on Product { ${f} } fragment G on Product { ${g} }`,
      variables,
    }));
}

const PRODUCTS = { product: 'Product', products: 'Product' };
const CONTEXT = { identity: UNRESTRICTED, forward: {} } as never;
const QUERIES = operations('query', { ...PRODUCTS, media: 'Media' });
/** Planning takes long on a busy machine. */
const TIME = 60_000;
const RUNS = { numRuns: 15, seed: 20 };

function parsedOf(text: string) {
  const document = parse(text);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return { document, operation };
}

it('a condition of a field that requires others does not change the fields beside it', async () => {
  const text = 'query ($x: Boolean!) { product { rating shipping @include(if: $x) } }';
  const with_ = { data: { product: { rating: 6, shipping: 20 } } };
  expect(await shop.run(text, { x: false })).toEqual({ data: { product: { rating: 6 } } });
  expect(await shop.run(text, { x: true })).toEqual(with_);
});

it(
  'queries with conditions have the answers of graphql-js',
  async () => {
    const check = async (asked: Asked) =>
      expectAnswerOfGraphql(asked, await shop.run(asked.text, asked.variables));
    await fc.assert(fc.asyncProperty(QUERIES, check), { ...RUNS, numRuns: 40 });
  },
  TIME,
);

it(
  'the same operation has the answers of graphql-js for all values in turn',
  async () => {
    const check = async ({ text }: Asked, all: readonly Values[]) => {
      const ready: ReadyOperation[] = [];
      const onReady: ReadyContext['onReady'] = (one) => void ready.push(one);
      for (const variables of all) {
        const asked = { text, variables };
        await expectAnswerOfGraphql(asked, await shop.run(text, variables, { onReady } as object));
        // The fast path runs the operation that an earlier request has prepared.
        const again = await ready[0]?.run(variables, CONTEXT);
        await expectAnswerOfGraphql(asked, JSON.parse(JSON.stringify(again)));
      }
    };
    const turns = fc.array(variables, { minLength: 2, maxLength: 5 });
    await fc.assert(fc.asyncProperty(QUERIES, turns, check), { ...RUNS, numRuns: 8 });
  },
  TIME,
);

it(
  'mutations with conditions have the answers of graphql-js',
  async () => {
    const mutations = operations('mutation', {
      touch: 'Product',
      grow: 'Product',
      'a: touch': 'Product',
    });
    const check = async (asked: Asked) =>
      expectAnswerOfGraphql(asked, await shop.run(asked.text, asked.variables));
    await fc.assert(fc.asyncProperty(mutations, check), RUNS);
  },
  TIME,
);

it(
  'events of streams with conditions have the data of graphql-js',
  async () => {
    const planOf = createSubscriptionPlanner(shop.supergraph, { hideSuggestions: false });
    const check = async ({ text, variables: given }: Asked) => {
      const variables: Values = { c: true, d: false, ...given };
      const plan = planOf(parsedOf(text), UNRESTRICTED, () => variables);
      const { query } = plan.upstream;
      const used = plan.variables.map((name) => [name, variables[name]]);
      const event = await shop.send(plan.subgraph, {
        query: query.replace('subscription', 'query').replace('changed', 'changed:product'),
        variables: Object.fromEntries(used),
      });
      const result = await plan.executeEvent(variables, async (fetch, sent) =>
        fetch.serviceName === EVENT_SERVICE
          ? event
          : shop.send(fetch.serviceName, { query: fetch.operation, variables: sent }),
      );
      await expectAnswerOfGraphql({ text, variables }, JSON.parse(JSON.stringify(result)));
    };
    const streams = operations('subscription', { changed: 'Product' });
    const text = 'subscription ($a: Boolean!) { changed { rating shipping @include(if: $a) } }';
    const examples: [Asked][] = [true, false].map((a) => [{ text, variables: { a } }]);
    await fc.assert(fc.asyncProperty(streams, check), { ...RUNS, examples });
  },
  TIME,
);

it(
  'the parts of deferred fragments with conditions add up to the answer of graphql-js',
  async () => {
    const check = async (asked: Asked) => {
      const text = asked.text.replace(/\.\.\. on Product/g, '... on Product @defer');
      const parts = new AnswerParts({ present: (errors) => errors as never, maxBytes: 1_000_000 });
      const first = await shop.run(text, asked.variables, { parts });
      if (parts.hasBegun) for await (const part of parts.read()) addPart(first, JSON.parse(part));
      await expectAnswerOfGraphql({ ...asked, text: text.replaceAll('@defer', '') }, first);
    };
    await fc.assert(fc.asyncProperty(QUERIES, check), RUNS);
  },
  TIME,
);

it('an object whose fields are all excluded remains', async () => {
  const selections = [
    'product @include(if: $a) { title @skip(if: $b) }',
    'product @include(if: $a) { next { ... { title @skip(if: $b) } } }',
    '... @include(if: $a) { product { rating @skip(if: $b) ...F } }',
    'media @include(if: $a) { ... on Product { price @skip(if: $b) } }',
  ];
  for (const selection of selections) {
    const fragment = selection.includes('F') ? 'fragment F on Product { label @skip(if: $b) }' : '';
    const text = `query ($a: Boolean!, $b: Boolean!) { ${selection} } ${fragment}`;
    for (const b of [true, false]) {
      const asked = { text, variables: { a: true, b } };
      await expectAnswerOfGraphql(asked, await shop.run(text, asked.variables));
    }
  }
});

it('an operation with deferred fragments keeps the fields beside an excluded field', async () => {
  const text =
    'query ($x: Boolean!) { product { rating shipping @include(if: $x) ... @defer { label } } }';
  for (const [x, product] of [
    [true, { rating: 6, shipping: 20 }],
    [false, { rating: 6 }],
  ] as const) {
    const parts = new AnswerParts({ present: (errors) => errors as never, maxBytes: 1_000_000 });
    expect(await shop.run(text, { x }, { parts })).toEqual({ data: { product } });
    const others: unknown[] = [];
    for await (const part of parts.read()) others.push(JSON.parse(part));
    const item = { data: { label: 'label 1' }, path: ['product'] };
    expect(others).toEqual([{ incremental: [item], hasNext: false }]);
  }
});

it('clients share a stream only if its conditions have the same values', () => {
  const graph = {
    supergraph: shop.supergraph,
    plan: createSubscriptionPlanner(shop.supergraph, { hideSuggestions: false }),
  } as never;
  const read = parsedOf(
    'subscription ($x: Boolean! = false) { changed { rating shipping @include(if: $x) } }',
  );
  const place = (variables: Values) =>
    placeRequest(graph, { read, variables, identity: UNRESTRICTED } as never);
  const [by, without, again, excluded] = [{ x: true }, {}, { x: true }, { x: false }].map(place);
  expect(by?.plan).toBe(again?.plan);
  expect(by?.key).toBe(again?.key);
  expect(without?.plan).toBe(excluded?.plan);
  expect(without?.key).toBe(excluded?.key);
  expect(by?.key).not.toBe(without?.key);
  expect(by?.plan.upstream.query).toContain('price');
  expect(without?.plan.upstream.query).not.toContain('price');
  expect(() => place({ x: 'no' })).toThrow('$x');
  expect(() => place({ x: null })).toThrow('$x');
});

describe('the plans of an operation', () => {
  const find = readConditions(shop.supergraph);
  const namesIn = (text: string) => [...(find(parsedOf(text))?.valuesOf({}).keys() ?? [])].sort();

  it.each([
    ['product { rating shipping @include(if: $a) }', 'a'],
    [
      'product { ... @skip(if: $a) { ... @include(if: $b) { volume } } title @skip(if: $c) }',
      'a b',
    ],
    ['product @skip(if: $a) { ...F @include(if: $b) }', 'a b c'],
    ['media { ... on Product @skip(if: $a) { stars total } }', 'a'],
    ['media @skip(if: $a) { score stars @skip(if: $b) }', 'a'],
    ['product { rating @include(if: $a) label @skip(if: $b) shipping }', ''],
    ['product { shipping @include(if: true) }', ''],
  ])('depend on the conditions of fields that require others: %s', (selection, expected) => {
    const fragment = selection.includes('...F')
      ? 'fragment F on Product { rating ... @skip(if: $c) { total } label @skip(if: $d) }'
      : '';
    const head = 'query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!)';
    expect(namesIn(`${head} { ${selection} } ${fragment}`).join(' ')).toBe(expected);
  });

  it('have defaults and names of variables that objects inherit', () => {
    const text =
      'query ($a: Boolean! = true, $constructor: Boolean! = false, $b: Boolean = true) { product { shipping @skip(if: $a) total @skip(if: $constructor) volume @skip(if: $b) } }';
    const values = find(parsedOf(text))?.valuesOf({ b: false });
    expect(Object.fromEntries(values ?? [])).toEqual({ a: true, constructor: false, b: false });
  });

  it('send no request for a field that a constant excludes', async () => {
    const before = shop.requests.length;
    expect(await shop.run('{ product @skip(if: true) { id } }')).toEqual({ data: {} });
    expect(await shop.run('{ product { rating @include(if: false) } }')).toEqual({
      data: { product: {} },
    });
    const sent = shop.requests.slice(before);
    expect(sent.map(({ subgraph }) => subgraph)).toEqual(['catalog']);
  });
});

describe('planning for a request', () => {
  const names = 'abcdef'.split('');
  const text = `query (${names.map((name) => `$${name}: Boolean!`).join(' ')}) { product { rating ${names
    .map((name) => `${name}: shipping @include(if: $${name})`)
    .join(' ')} } }`;
  const { document, operation } = parsedOf(text);
  const valuesAt = (combination: number): Values =>
    Object.fromEntries(names.map((name, bit) => [name, ((combination >> bit) & 1) === 1]));
  let isOutOfTime = false;
  let planned = 0;
  const planning = {
    charged: <T>(_caller: unknown, work: () => T): T => work(),
    plan: <T>(work: () => T): T => {
      if (isOutOfTime) throw new RequestError(503, 'out of time', { code: 'OVERLOADED' });
      planned += 1;
      return work();
    },
  };
  const execute = createQueryExecutor(shop.supergraph, shop.send, planning as never);
  const run = async (combination: number, context: object = {}): Promise<ExecutedOperation> => {
    const request = { variables: valuesAt(combination) };
    const own = { identity: UNRESTRICTED, forward: {}, ...context };
    return (await execute({ context: own, request, document, operation } as never)) as never;
  };

  it('plans once for each combination of values, and keeps 16 plans', async () => {
    await run(0);
    const before = planned;
    for (const combination of [0, 1, 2, 1, 0, 2]) {
      const { data } = await run(combination);
      const { product } = data as { product: object };
      const included = names.filter((name) => valuesAt(combination)[name]);
      expect(Object.keys(product)).toEqual(['rating', ...included]);
    }
    expect(planned - before).toBe(2);
    for (let combination = 3; combination < 19; combination += 1) await run(combination);
    expect(planned - before).toBe(18);
    await run(18);
    expect(planned - before).toBe(18);
    await run(0);
    expect(planned - before).toBe(19);
  });

  it('refuses the request if there is no time for planning, and plans for the next one', async () => {
    const refused: unknown[] = [];
    const answer = { refuse: (error: unknown) => void refused.push(error) };
    let ready: ReadyOperation | undefined;
    const onReady = (one: ReadyOperation): void => {
      ready = one;
    };
    await run(60, { onReady });
    isOutOfTime = true;
    try {
      const { errors, data } = await run(61, { answer });
      expect(errors).toMatchObject([{ extensions: { code: 'OVERLOADED' } }]);
      expect(data).toBeUndefined();
      const context = { identity: UNRESTRICTED, forward: {}, answer } as never;
      expect(await ready?.run(valuesAt(61), context)).toEqual({ errors });
      expect(refused).toEqual([...(errors ?? []), ...(errors ?? [])]);
      expect(await run(60)).toHaveProperty('data.product.rating', 6);
    } finally {
      isOutOfTime = false;
    }
    expect(await run(61)).toHaveProperty('data.product.a', 20);
  });
});

interface Part {
  readonly incremental?: readonly { path: (string | number)[]; data: object; errors?: unknown }[];
}

/** Merges a part into a result. */
function addPart(result: { data?: unknown }, { incremental = [] }: Part): void {
  for (const { path, data, errors } of incremental) {
    expect(errors).toBeUndefined();
    let target = result.data as Record<string, unknown>;
    for (const key of path) target = target[key] as Record<string, unknown>;
    mergeDeep(target, data);
  }
}

function mergeDeep(target: object, more: object): void {
  const known = target as Record<string, unknown>;
  for (const [key, value] of Object.entries(more)) {
    const own = known[key];
    if (typeof own === 'object' && own !== null && value) mergeDeep(own, value as object);
    else known[key] = value;
  }
}
