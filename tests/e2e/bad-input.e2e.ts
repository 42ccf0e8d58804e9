import { randomUUID } from 'node:crypto';
import type { GraphError } from '@gudang/testing/clients/graph-client';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import {
  buildClientSchema,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  isListType,
} from 'graphql';
import { beforeAll, expect, test } from 'vitest';
import { type Argument, argumentsOf, wrongValues } from './bad-input/arguments.ts';
import { canBeLiteral, type FieldUse, type Form, operationWith } from './bad-input/operation.ts';
import {
  anyOfItsType,
  type Cursors,
  cursor,
  dateTime,
  type Rule,
  text,
  whole,
} from './bad-input/rules.ts';

const STOCK_ID = `sku-${randomUUID()}`;
const UPDATED_ID = `sku-${randomUUID()}`;
/** A rejected order, which no mutation changes. */
const ORDER_ID = randomUUID();
const INT_MAX = 2 ** 31 - 1;

/**
 * Rule for page sizes. Its invalid values do not include the largest Int, because the cost limit rejects
 * that value before the argument is checked.
 */
const fromOneTo100 = whole(1, 100);
const pageSize = {
  ...fromOneTo100,
  bad: fromOneTo100.bad.filter(([, value]) => value !== INT_MAX),
};
const name = text(255);
const quantity = whole(0, INT_MAX);
const someStock = { name: 'Kopi', quantity: 1 };
const delta = whole(-INT_MAX, INT_MAX, {
  // Whether another value is accepted depends on the stock's quantity, so 1 is the only valid example.
  good: [1],
  bad: [
    ['nothing', 0],
    ['more than the stock holds', -INT_MAX],
    ['more than a stock can hold', INT_MAX],
  ],
  allowed: /from -|other than 0/,
});
/** The list of a batch mutation. The errors of its items do not reject the list. */
const listOf = (item: object): Rule => ({
  good: [],
  bad: [
    ['no items', []],
    ['too many items', Array.from({ length: 1_001 }, () => item)],
  ],
  allowed: /a list of 1 to 1,000 items/,
});

/** One row per argument of the graph. The first test fails if an argument has no row. */
const TABLE: Readonly<Record<string, Rule>> = {
  'Query.order(id)': text(100, 'null'),
  'Query.orders(first)': pageSize,
  'Query.orders(after)': cursor('orders'),
  'Query.orders(last)': pageSize,
  'Query.orders(before)': cursor('orders'),
  'Query.orders(productId)': text(100, 'fine'),
  'Query.orders(status)': anyOfItsType,
  'Query.orders(createdAfter)': dateTime,
  'Query.orders(createdBefore)': dateTime,
  'Query.stock(id)': text(100, 'null'),
  'Query.stocks(first)': pageSize,
  'Query.stocks(after)': cursor('stocks'),
  'Query.stocks(last)': pageSize,
  'Query.stocks(before)': cursor('stocks'),
  'Query.stocks(search)': text(255),
  'Query.stocks(quantityAtMost)': quantity,
  'Query.stocks(sort)': anyOfItsType,
  'Stock.movements(first)': pageSize,
  'Stock.movements(after)': cursor('movements'),
  'Stock.orders(first)': pageSize,
  'Stock.orders(after)': cursor('orders'),
  'Stock.orders(status)': anyOfItsType,
  'Mutation.createOrder(input)': anyOfItsType,
  'Mutation.createOrder(input.productId)': text(100, 'fine'),
  'Mutation.createOrder(input.quantity)': whole(1, 1_000_000),
  'Mutation.createOrder(input.idempotencyKey)': text(100),
  'Mutation.cancelOrder(id)': text(100, 'NOT_FOUND'),
  'Mutation.cancelOrder(reason)': text(255),
  'Mutation.cancelOrder(idempotencyKey)': text(100),
  'Mutation.addStock(input)': anyOfItsType,
  'Mutation.addStock(input.id)': text(100, 'fine'),
  'Mutation.addStock(input.name)': name,
  'Mutation.addStock(input.quantity)': quantity,
  'Mutation.addStock(idempotencyKey)': text(100),
  'Mutation.updateStock(id)': text(100, 'NOT_FOUND'),
  'Mutation.updateStock(input)': anyOfItsType,
  'Mutation.updateStock(input.name)': name,
  'Mutation.updateStock(input.quantity)': quantity,
  'Mutation.updateStock(input.expectedVersion)': whole(1, INT_MAX),
  'Mutation.updateStock(input.reason)': text(255),
  'Mutation.updateStock(idempotencyKey)': text(100),
  'Mutation.adjustStock(id)': text(100, 'NOT_FOUND'),
  'Mutation.adjustStock(delta)': delta,
  'Mutation.adjustStock(reason)': text(255),
  'Mutation.adjustStock(expectedVersion)': whole(1, INT_MAX),
  'Mutation.adjustStock(idempotencyKey)': text(100),
  'Mutation.deleteStock(id)': text(100, 'NOT_FOUND'),
  'Mutation.deleteStock(idempotencyKey)': text(100),
  'Mutation.addStocks(inputs)': listOf(someStock),
  'Mutation.addStocks(inputs.id)': text(100, 'fine'),
  'Mutation.addStocks(inputs.name)': name,
  'Mutation.addStocks(inputs.quantity)': quantity,
  'Mutation.addStocks(allOrNothing)': anyOfItsType,
  'Mutation.addStocks(idempotencyKey)': text(100),
  'Mutation.updateStocks(inputs)': listOf({ id: 'nothing', ...someStock }),
  'Mutation.updateStocks(inputs.id)': text(100, 'NOT_FOUND'),
  'Mutation.updateStocks(inputs.name)': name,
  'Mutation.updateStocks(inputs.quantity)': quantity,
  'Mutation.updateStocks(inputs.reason)': text(255),
  'Mutation.updateStocks(inputs.expectedVersion)': whole(1, INT_MAX),
  'Mutation.updateStocks(allOrNothing)': anyOfItsType,
  'Mutation.updateStocks(idempotencyKey)': text(100),
  'Mutation.adjustStocks(inputs)': listOf({ id: 'nothing', delta: 1 }),
  'Mutation.adjustStocks(inputs.id)': text(100, 'NOT_FOUND'),
  'Mutation.adjustStocks(inputs.delta)': delta,
  'Mutation.adjustStocks(inputs.reason)': text(255),
  'Mutation.adjustStocks(inputs.expectedVersion)': whole(1, INT_MAX),
  'Mutation.adjustStocks(allOrNothing)': anyOfItsType,
  'Mutation.adjustStocks(idempotencyKey)': text(100),
  'Subscription.orderChanged(id)': text(100, 'NOT_FOUND'),
  'Subscription.ordersChanged(productId)': text(100, 'fine'),
  'Subscription.ordersChanged(status)': anyOfItsType,
  'Subscription.ordersChanged(after)': cursor('orderChanges'),
  'Subscription.stockChanged(ids)': {
    good: [['x'], Array.from({ length: 1_000 }, (_, i) => `s${i}`)],
    bad: [
      ['no ids', []],
      ['too many ids', Array.from({ length: 1_001 }, (_, i) => `s${i}`)],
    ],
    allowed: /a list of 1 to 1,?000 ids/,
    unknownId: 'fine',
  },
  'Subscription.stockChanged(quantityAtMost)': quantity,
  'Subscription.stockChanged(after)': cursor('changes'),
};

const ofStock = (call: string): string => `stock(id: "${STOCK_ID}") { ${call} }`;

const ITEM_ERRORS = '{ error { code message argument } }';

/**
 * Valid arguments for each field. In the tests, one of them is invalid, so no mutation may change
 * anything.
 */
const USES: Readonly<Record<string, FieldUse>> = {
  'Query.order': { arguments: { id: randomUUID() }, select: '{ id }' },
  'Query.orders': { arguments: {}, select: '{ nodes { id } }' },
  'Query.stock': { arguments: { id: STOCK_ID }, select: '{ id }' },
  'Query.stocks': { arguments: {}, select: '{ nodes { id } }' },
  'Stock.movements': { arguments: {}, select: '{ nodes { delta } }', around: ofStock },
  'Stock.orders': { arguments: {}, select: '{ nodes { id } }', around: ofStock },
  'Mutation.createOrder': {
    arguments: { input: { productId: 'nothing', quantity: 1 } },
    select: '{ id }',
  },
  'Mutation.cancelOrder': { arguments: { id: ORDER_ID }, select: '{ id }' },
  'Mutation.addStock': { arguments: { input: someStock }, select: '{ id }' },
  'Mutation.updateStock': { arguments: { id: UPDATED_ID, input: someStock }, select: '{ id }' },
  'Mutation.adjustStock': { arguments: { id: STOCK_ID, delta: 1 }, select: '{ id }' },
  'Mutation.deleteStock': { arguments: { id: 'nothing' }, select: '{ id }' },
  'Mutation.addStocks': { arguments: { inputs: [someStock] }, select: ITEM_ERRORS },
  'Mutation.updateStocks': {
    arguments: { inputs: [{ id: UPDATED_ID, ...someStock }] },
    select: ITEM_ERRORS,
  },
  'Mutation.adjustStocks': {
    arguments: { inputs: [{ id: STOCK_ID, delta: 1 }] },
    select: ITEM_ERRORS,
  },
  'Subscription.orderChanged': { arguments: { id: randomUUID() }, select: '{ id }' },
  'Subscription.ordersChanged': { arguments: {}, select: '{ kind }' },
  'Subscription.stockChanged': { arguments: { ids: ['nothing'] }, select: '{ kind }' },
};

const FORMS = ['literal', 'variable'] as const;

const system = useSystem();
let schema: GraphQLSchema;
let found: ReadonlyMap<string, Argument>;
let cursors: Cursors;

beforeAll(async () => {
  const { graph } = system();
  schema = buildClientSchema(await dataOf(graph(getIntrospectionQuery())));
  found = new Map(argumentsOf(schema).map((argument) => [argument.coordinate, argument]));
  const shop = createShopClient(graph);
  await shop.addStock({ id: STOCK_ID, quantity: 10 });
  await shop.addStock({ id: UPDATED_ID, quantity: 10 });
  await system().databases.order(
    `INSERT INTO orders (id, product_id, quantity, status, rejection_reason, decided_at)
     VALUES ('${ORDER_ID}', 'nothing', 1, 'REJECTED', 'UNKNOWN_PRODUCT', now())`,
  );
  await shop.createOrder({ productId: STOCK_ID, quantity: 1 });
  const {
    stockCursor: changes,
    orderCursor: orderChanges,
    ...lists
  } = await dataOf(
    graph(`{ stockCursor orderCursor orders { pageInfo { endCursor } } stocks { pageInfo { endCursor }
      nodes { movements { pageInfo { endCursor } } } } }`),
  );
  cursors = {
    changes,
    orderChanges,
    orders: lists.orders.pageInfo.endCursor,
    stocks: lists.stocks.pageInfo.endCursor,
    movements: lists.stocks.nodes[0].movements.pageInfo.endCursor,
  };
});

type Operation = ReturnType<typeof operationWith>;

/** Returns the errors of a batch's items in the form of the errors of an operation. */
function itemErrors(data: unknown): readonly GraphError[] {
  const [results] = Object.values((data ?? {}) as Record<string, unknown>);
  if (!Array.isArray(results)) return [];
  return results.flatMap(({ error }): GraphError[] => {
    if (!error) return [];
    const { code, message, argument } = error;
    return [{ message, extensions: { code, argument, allowed: message } }];
  });
}

/** Formats a path as errors do: `inputs[0].name`. */
const shownPath = (path: Argument['path']): string =>
  path.reduce<string>(
    (text, step) => text + (typeof step === 'number' ? `[${step}]` : `${text && '.'}${step}`),
    '',
  );

/** Returns the errors of an operation, or of the items of a batch. Rejects if a subscription does not end within 5 s. */
async function errorsOf(
  field: string,
  { query, variables }: Operation,
): Promise<readonly GraphError[]> {
  const { graph, live } = system();
  if (!field.startsWith('Subscription.')) {
    const { data, errors = [] } = await graph(query, variables);
    return [...errors, ...itemErrors(data)];
  }
  const watch = await live({ query, variables });
  try {
    await watch.ended({ within: 5_000 });
    return watch.errors();
  } finally {
    await watch.close();
  }
}

const show = (value: unknown): string => {
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > 60 ? `${shown.slice(0, 60)}… (${shown.length})` : shown;
};

/** Sends an invalid value. Returns what is wrong with the resulting error; undefined if nothing is. */
async function faultOf(
  argument: Argument,
  { value, form, at = '', allowed }: { value: unknown; form: Form; at?: string; allowed: RegExp },
): Promise<string | undefined> {
  const { field, path, argumentType } = argument;
  const use = USES[field];
  if (!use) return `no row in USES for ${field}`;
  const operation = operationWith({ field, use, path, argumentType, value, form });
  const errors = await errorsOf(field, operation).catch((error: Error) => error.message);
  if (typeof errors === 'string') return errors;
  const [error] = errors;
  if (!error) return 'the value is accepted';
  if (errors.length > 1) return `${errors.length} errors: ${JSON.stringify(errors)}`;
  const { code, argument: named, allowed: said } = error.extensions ?? {};
  if (code !== 'BAD_USER_INPUT') return `${code}: ${error.message}`;
  if (named !== shownPath(path) + at) return `names ${JSON.stringify(named)}: ${error.message}`;
  if (typeof said !== 'string' || !allowed.test(said)) return `allows ${JSON.stringify(said)}`;
  return undefined;
}

test('the table has one row for each argument of the graph', () => {
  expect([...found.keys()].sort()).toEqual(Object.keys(TABLE).sort());
  expect(Object.keys(USES).sort()).toEqual(
    [...new Set([...found.values()].map(({ field }) => field))].sort(),
  );
});

test('the table states the outcome of an unknown id for every id argument', () => {
  const ids = [...found.values()].filter(({ type }) => getNamedType(type).name === 'ID');
  expect(ids.filter(({ coordinate }) => !TABLE[coordinate]?.unknownId)).toEqual([]);
});

const argumentAt = (coordinate: string): Argument => {
  const one = found.get(coordinate);
  if (!one) throw new Error(`The graph has no ${coordinate}`);
  return one;
};

const rows = Object.entries(TABLE);

test.each(rows)(
  '%s rejects values of another type, and the error names the expected type',
  async (coordinate) => {
    const argument = argumentAt(coordinate);
    const allowed = new RegExp(getNamedType(argument.type).name);
    const faults: string[] = [];
    for (const { name: what, value, at, only } of wrongValues(argument.type)) {
      for (const form of FORMS) {
        if (only && only !== form) continue;
        const fault = await faultOf(argument, { value, form, ...(at ? { at } : {}), allowed });
        if (fault) faults.push(`${what}, ${show(value)} by ${form}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
  },
);

test.each(rows.filter(([, rule]) => rule !== anyOfItsType))(
  '%s rejects values beyond its limits, and the error names the limits',
  async (coordinate, { bad, allowed }) => {
    const faults: string[] = [];
    for (const [what, value] of typeof bad === 'function' ? bad(cursors) : bad) {
      for (const form of FORMS) {
        if (form === 'literal' && !canBeLiteral(value)) continue;
        const fault = await faultOf(argumentAt(coordinate), { value, form, allowed });
        if (fault) faults.push(`${what}, ${show(value)} by ${form}: ${fault}`);
      }
    }
    expect(faults).toEqual([]);
  },
);

test('the error for an invalid id in a list contains the index of the id', async () => {
  const argument = argumentAt('Subscription.stockChanged(ids)');
  const allowed = /a text of 1 to 100 characters/;
  const faults: string[] = [];
  for (const value of ['', 'x'.repeat(101), 'a\u0000b', 'a\ud800b']) {
    const bad = { value: ['x', value], form: 'variable', at: '[1]', allowed } as const;
    const fault = await faultOf(argument, bad);
    if (fault) faults.push(`${show(value)}: ${fault}`);
  }
  expect(faults).toEqual([]);
});

test('every argument accepts values at its limits', async () => {
  const faults: string[] = [];
  for (const [coordinate, { good }] of rows) {
    const argument = argumentAt(coordinate);
    const use = USES[argument.field];
    // Subscriptions are skipped, because a subscription with valid arguments does not end.
    if (!use || argument.field.startsWith('Subscription.')) continue;
    for (const value of good) {
      const operation = operationWith({ ...argument, use, value, form: 'variable' });
      const errors = await errorsOf(argument.field, operation);
      const refused = errors.filter(({ extensions }) => {
        const code = extensions?.['code'];
        // These errors are expected: the ids and versions are valid, but no stock has them, or one has the
        // id because addStock was tested with it.
        return !['NOT_FOUND', 'VERSION_CONFLICT', 'ALREADY_EXISTS'].includes(String(code));
      });
      if (refused.length > 0)
        faults.push(`${coordinate} ${show(value)}: ${JSON.stringify(refused)}`);
    }
  }
  expect(faults).toEqual([]);
});

test('the cost limit rejects an excessive page size, and the error names the cost and the limit', async () => {
  for (const list of ['orders(first: 2147483647)', 'stocks(last: 2147483647)']) {
    const { errors } = await system().graph(`{ ${list} { nodes { id } } }`);
    expect(errors).toMatchObject([
      {
        message: expect.stringMatching(/cost is more than [\d,]+, above the limit of [\d,]+$/),
        extensions: { code: 'LIMIT_EXCEEDED', limit: 'cost', max: expect.any(Number) },
      },
    ]);
  }
});

test('lists reject a request with both first and last', async () => {
  for (const list of ['orders', 'stocks']) {
    const { errors } = await system().graph(`{ ${list}(first: 1, last: 1) { nodes { id } } }`);
    expect(errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: 'last', allowed: expect.any(String) } },
    ]);
  }
});

test('the error for an unknown input field names the field', async () => {
  for (const form of FORMS) {
    const argument = argumentAt('Mutation.addStock(input)');
    const value = { ...someStock, color: 'red' };
    const fault = await faultOf(argument, {
      value,
      form,
      at: '.color',
      allowed: /quantity: Int!/,
    });
    expect(fault).toBeUndefined();
  }
});

test('a query returns null for an unknown id, and a mutation fails with NOT_FOUND', async () => {
  const faults: string[] = [];
  for (const [coordinate, { unknownId }] of rows) {
    const argument = argumentAt(coordinate);
    const use = USES[argument.field];
    if (!use || !unknownId || isListType(getNullableType(argument.type))) continue;
    // A subscription that accepts an unknown id does not end.
    if (unknownId === 'fine' && argument.field.startsWith('Subscription.')) continue;
    for (const value of [randomUUID(), `unknown-${randomUUID()}`, `'${randomUUID()}`]) {
      const operation = operationWith({ ...argument, use, value, form: 'variable' });
      const outcome = await outcomeOf(argument.field, operation);
      if (outcome !== unknownId) faults.push(`${coordinate} ${value}: ${outcome}`);
    }
  }
  expect(faults).toEqual([]);
});

async function outcomeOf(field: string, operation: Operation): Promise<string> {
  const codes = (await errorsOf(field, operation)).map(({ extensions }) => extensions?.['code']);
  if (codes.length > 0) return codes.join();
  if (!field.startsWith('Query.')) return 'fine';
  const { data } = await system().graph(operation.query, operation.variables);
  return Object.values(data)[0] === null ? 'null' : 'fine';
}
