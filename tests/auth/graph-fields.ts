import { readFileSync } from 'node:fs';
import type { Requirement } from '@gudang/testing/clients/callers';
import { buildSchema, getNamedType, isCompositeType, isObjectType } from 'graphql';

/** Ids and a cursor of the test data: Siti's order and its stock. */
export interface Ids {
  readonly order: string;
  readonly stock: string;
  /** Id of a stock that the mutation deleteStock may delete. */
  readonly spare: string;
  /** Cursor directly before the change that Siti's order caused. */
  readonly cursor: string;
  /** Cursor after which `ordersChanged` sends a snapshot, with an order of each caller. */
  readonly orderCursor: string;
}

/** An operation that selects one field, and the path of that field in the response. */
export interface Asked {
  /** For example `Order.status`, followed by a note if several paths lead to the field. */
  readonly name: string;
  readonly query: string;
  readonly needs: Requirement;
  /** Path of the object that has the field. For a root field, the path of the field itself. */
  readonly path: readonly (string | number)[];
  /** Whether the field is null for callers that must not see Siti's order. */
  readonly ofOrder: boolean;
}

const supergraph = new URL('../../gateway/supergraph.graphql', import.meta.url);
const schema = buildSchema(readFileSync(supergraph, 'utf8'), { assumeValidSDL: true });

/** All fields of all object types in the API schema. */
export const FIELDS = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && !type.name.includes('__'))
  .flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields()).map((field) => ({
          coordinate: `${type.name}.${field.name}`,
          type: type.name,
          field: field.name,
          selected: isCompositeType(getNamedType(field.type)) ? '{ __typename }' : '',
        }))
      : [],
  );

/** What each field requires of the caller. Fields that are not listed are public. */
const NEEDS: Readonly<Record<string, Requirement>> = {
  'Query.order': 'a token',
  'Query.orders': 'a token',
  'Query.orderCursor': 'a token',
  'Subscription.orderChanged': 'a token',
  'Subscription.ordersChanged': 'a token',
  'Stock.orders': 'a token',
  'Mutation.createOrder': 'order:write',
  'Mutation.cancelOrder': 'order:write',
  'Mutation.addStock': 'stock:write',
  'Mutation.updateStock': 'stock:write',
  'Mutation.adjustStock': 'stock:write',
  'Mutation.deleteStock': 'stock:write',
  'Mutation.addStocks': 'stock:write',
  'Mutation.updateStocks': 'stock:write',
  'Mutation.adjustStocks': 'stock:write',
  'Movement.by': 'stock:write',
};

const ROOT_ARGUMENTS: Readonly<Record<string, (ids: Ids) => string>> = {
  'Query.order': ({ order }) => `(id: "${order}")`,
  'Query.stock': ({ stock }) => `(id: "${stock}")`,
  'Mutation.createOrder': ({ stock }) => `(input: { productId: "${stock}", quantity: 1 })`,
  'Mutation.cancelOrder': ({ order }) => `(id: "${order}")`,
  'Mutation.addStock': () => '(input: { name: "Teh", quantity: 1 })',
  'Mutation.updateStock': ({ stock }) => `(id: "${stock}", input: { name: "Kopi", quantity: 500 })`,
  'Mutation.adjustStock': ({ stock }) => `(id: "${stock}", delta: 1)`,
  'Mutation.deleteStock': ({ spare }) => `(id: "${spare}")`,
  'Mutation.addStocks': () => '(inputs: [{ name: "Teh", quantity: 1 }])',
  'Mutation.updateStocks': ({ stock }) => `(inputs: [{ id: "${stock}", quantity: 500 }])`,
  'Mutation.adjustStocks': ({ stock }) => `(inputs: [{ id: "${stock}", delta: 1 }])`,
  'Subscription.orderChanged': ({ order }) => `(id: "${order}")`,
  'Subscription.ordersChanged': ({ orderCursor }) => `(after: "${orderCursor}")`,
  'Subscription.stockChanged': ({ stock, cursor }) => `(ids: ["${stock}"], after: "${cursor}")`,
};

/** Root fields that take the id of an order. */
const OF_ONE_ORDER = new Set(['Query.order', 'Mutation.cancelOrder', 'Subscription.orderChanged']);

interface Way {
  /** Distinguishes several paths that lead to the type, for example `through its stock`. */
  readonly note?: string;
  readonly around: (selection: string, ids: Ids) => string;
  readonly path: Asked['path'];
  readonly needs?: Requirement;
  readonly ofOrder?: boolean;
}

const ordered =
  (selection: string): Way['around'] =>
  (inner) =>
    `{ orders(first: 1) { ${selection.replace('…', inner)} } }`;
const ofStock =
  (selection: string): Way['around'] =>
  (inner, { stock }) =>
    `{ stock(id: "${stock}") { ${selection.replace('…', inner)} } }`;
const change =
  (selection: string): Way['around'] =>
  (inner, { stock, cursor }) =>
    `subscription { stockChanged(ids: ["${stock}"], after: "${cursor}") { ${selection.replace('…', inner)} } }`;

/** A batch whose first item is applied, and whose second one is not. */
const batch =
  (selection: string): Way['around'] =>
  (inner, { stock }) =>
    `mutation { adjustStocks(inputs: [{ id: "${stock}", delta: 1 }, { id: "nothing", delta: 1 }]) {
      ${selection.replace('…', inner)} } }`;

/** The selections that lead to an object of each type. */
const WAYS: Readonly<Record<string, readonly Way[]>> = {
  Order: [
    {
      around: (inner, { order }) => `{ order(id: "${order}") { ${inner} } }`,
      path: ['order'],
      needs: 'a token',
      ofOrder: true,
    },
    {
      note: 'through the ledger',
      around: ofStock('movements(first: 1) { nodes { order { … } } }'),
      path: ['stock', 'movements', 'nodes', 0, 'order'],
      ofOrder: true,
    },
    {
      note: 'through a change',
      around: change('order { … }'),
      path: ['stockChanged', 'order'],
      ofOrder: true,
    },
    {
      note: 'through its stock',
      around: ofStock('orders(first: 1) { nodes { … } }'),
      path: ['stock', 'orders', 'nodes', 0],
      needs: 'a token',
      ofOrder: true,
    },
  ],
  OrderConnection: [
    { around: ordered('…'), path: ['orders'], needs: 'a token' },
    {
      note: 'through its stock',
      around: ofStock('orders { … }'),
      path: ['stock', 'orders'],
      needs: 'a token',
    },
  ],
  OrderEdge: [
    {
      around: ordered('edges { … }'),
      path: ['orders', 'edges', 0],
      needs: 'a token',
      ofOrder: true,
    },
  ],
  PageInfo: [
    {
      note: 'of orders',
      around: ordered('pageInfo { … }'),
      path: ['orders', 'pageInfo'],
      needs: 'a token',
    },
    {
      note: 'of stocks',
      around: (inner) => `{ stocks { pageInfo { ${inner} } } }`,
      path: ['stocks', 'pageInfo'],
    },
  ],
  Stock: [
    { around: ofStock('…'), path: ['stock'] },
    {
      note: 'through an order',
      around: (inner, { order }) => `{ order(id: "${order}") { stock { ${inner} } } }`,
      path: ['order', 'stock'],
      needs: 'a token',
      ofOrder: true,
    },
  ],
  StockConnection: [{ around: (inner) => `{ stocks { ${inner} } }`, path: ['stocks'] }],
  StockEdge: [
    { around: (inner) => `{ stocks { edges { ${inner} } } }`, path: ['stocks', 'edges', 0] },
  ],
  MovementConnection: [{ around: ofStock('movements { … }'), path: ['stock', 'movements'] }],
  MovementEdge: [
    { around: ofStock('movements { edges { … } }'), path: ['stock', 'movements', 'edges', 0] },
  ],
  Movement: [
    { around: ofStock('movements { nodes { … } }'), path: ['stock', 'movements', 'nodes', 0] },
  ],
  StockResult: [{ around: batch('…'), path: ['adjustStocks', 0], needs: 'stock:write' }],
  StockItemError: [
    { around: batch('error { … }'), path: ['adjustStocks', 1, 'error'], needs: 'stock:write' },
  ],
  StockChange: [{ around: change('…'), path: ['stockChanged'] }],
  OrderChange: [
    {
      around: (inner, { orderCursor }) =>
        `subscription { ordersChanged(after: "${orderCursor}") { ${inner} } }`,
      path: ['ordersChanged'],
      needs: 'a token',
    },
  ],
};

/** Fields of orders that every caller sees, because a stock's ledger and changes are public. */
const PROVIDED = new Set(
  ['id', 'status', 'rejectionReason', 'decidedAt', 'cancelledAt'].flatMap((field) => [
    `Order.${field} through the ledger`,
    `Order.${field} through a change`,
  ]),
);

/** Returns all operations that select a field. @throws if WAYS does not list the field's type */
export function waysTo({ coordinate, type, field, selected }: (typeof FIELDS)[number]) {
  const own = NEEDS[coordinate] ?? 'nothing';
  if (['Query', 'Mutation', 'Subscription'].includes(type)) {
    const isOrder = OF_ONE_ORDER.has(coordinate);
    return [
      {
        name: coordinate,
        ask: (ids: Ids): string =>
          `${type.toLowerCase()} { ${field}${ROOT_ARGUMENTS[coordinate]?.(ids) ?? ''} ${selected} }`,
        needs: own,
        path: [field],
        ofOrder: isOrder,
      },
    ];
  }
  const ways = WAYS[type];
  if (!ways) throw new Error(`Add a selection that leads to ${type} to WAYS`);
  return ways.map(({ note, around, path, needs = 'nothing', ofOrder = false }) => {
    const name = note ? `${coordinate} ${note}` : coordinate;
    return {
      name,
      ask: (ids: Ids) => around(`${field} ${selected}`, ids),
      needs: own === 'nothing' ? needs : own,
      path,
      ofOrder: ofOrder && !PROVIDED.has(name),
    };
  });
}
