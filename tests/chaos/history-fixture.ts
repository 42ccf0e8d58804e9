import type { TopicRecord } from '@gudang/testing/topic-archive';
import { check } from './checker.ts';
import type { History } from './history.ts';

export const CONFIRMED = '00000000-0000-4000-8000-000000000001';
export const REJECTED = '00000000-0000-4000-8000-000000000002';
export const CANCELLED = '00000000-0000-4000-8000-000000000003';
const BAD = Buffer.from('{not json');

/** Returns a small system's history without violations. Each test damages it in one place. */
export function validHistory(): History {
  const orders = [
    { id: CONFIRMED, productId: 'tea', quantity: 4, status: 'CONFIRMED', reason: null },
    { id: REJECTED, productId: 'tea', quantity: 90, status: 'REJECTED', reason: 'OUT_OF_STOCK' },
    { id: CANCELLED, productId: 'tea', quantity: 2, status: 'CANCELLED', reason: null },
  ];
  const statuses = orders.flatMap(({ id, status, reason }) => [
    ...(status === 'CANCELLED' ? [{ id, status: 'CONFIRMED', reason }] : []),
    { id, status, reason },
  ]);
  const created = [
    ...orders.map(({ id, productId, quantity }, offset) =>
      record('order_created', offset, { id, product_id: productId, quantity, timestamp: '' }),
    ),
    record('order_created', 3, BAD),
  ];
  return {
    orders: orders.map((order) => ({ ...order, isCancelRequested: order.id === CANCELLED })),
    decisions: orders.map(({ id, ...order }) => ({
      orderId: id,
      ...order,
      isCancelRefused: false,
    })),
    stocks: [{ id: 'tea', quantity: 9, version: 5, deleted: false }],
    movements: [
      movement(1, 'CREATED', 10, 10),
      movement(2, 'ORDERED', -4, 6, { orderId: CONFIRMED }),
      movement(3, 'ADJUSTED', 3, 9, { reason: 'a delivery' }),
      movement(4, 'ORDERED', -2, 7, { orderId: CANCELLED }),
      movement(5, 'RETURNED', 2, 9, { orderId: CANCELLED }),
    ],
    unsent: 0,
    setAside: 0,
    records: {
      order_created: created,
      'order_created.dlt': [
        record('order_created.dlt', 0, BAD, {
          gudang_origin_topic: 'order_created',
          gudang_origin_partition: '0',
          gudang_origin_offset: '3',
          gudang_reason: 'the value is not JSON',
        }),
      ],
      order_cancelled: [
        record('order_cancelled', 0, {
          id: CANCELLED,
          product_id: 'tea',
          quantity: 2,
          timestamp: '',
        }),
      ],
      'order_cancelled.dlt': [],
      order_decided: statuses.map(({ id, status, reason }, offset) =>
        record('order_decided', offset, { order_id: id, status, reason }),
      ),
      'order_decided.dlt': [],
      order_changed: [...orders.map(({ id }) => ({ id, status: 'PENDING' })), ...statuses].map(
        ({ id, status }, offset) => record('order_changed', offset, { id, status }),
      ),
      stock_changed: [10, 6, 9, 7, 9].map((quantity, offset) =>
        record('stock_changed', offset, { id: 'tea', version: offset + 1, quantity }),
      ),
    },
    observed: {
      acknowledged: orders.map(({ id, productId, quantity }) => ({
        id,
        productId,
        quantity,
        idempotencyKey: id,
        latency: 1,
        answeredIn: 1,
      })),
      added: [{ stockId: 'tea', quantity: 10 }],
      adjusted: [{ stockId: 'tea', delta: 3, reason: 'a delivery', acknowledged: true }],
      cancelled: [CANCELLED],
      foreign: [],
      watchers: [
        {
          name: 'a watcher',
          since: new Map([['tea', 1]]),
          seen: [
            { stockId: 'tea', version: 2, quantity: 6, kind: 'ORDERED' },
            { stockId: 'tea', version: 3, quantity: 9, kind: 'ADJUSTED' },
            { stockId: 'tea', version: 4, quantity: 7, kind: 'ORDERED' },
            { stockId: 'tea', version: 5, quantity: 9, kind: 'RETURNED' },
          ],
        },
      ],
      orderWatchers: [
        {
          name: 'order watcher',
          orderId: CONFIRMED,
          seen: ['PENDING', 'CONFIRMED', 'CONFIRMED'],
          completed: true,
          errors: [],
        },
      ],
    },
  };
}

export function record(
  topic: string,
  offset: number,
  value: object | Buffer | null,
  headers: Record<string, string> = {},
): TopicRecord {
  return {
    topic,
    partition: 0,
    offset: String(offset),
    timestamp: 0,
    key: Buffer.from('tea'),
    value: value === null || Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
    headers,
  };
}

function movement(
  version: number,
  kind: string,
  delta: number,
  quantityAfter: number,
  { orderId = null, reason = null }: { orderId?: string | null; reason?: string | null } = {},
) {
  return { stockId: 'tea', version, kind, delta, quantityAfter, reason, orderId };
}

/** The same type without `readonly`, so that tests can modify a history. */
export type Mutable<T> = T extends Buffer
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : T extends readonly (infer E)[]
      ? Mutable<E>[]
      : T extends object
        ? { -readonly [K in keyof T]: Mutable<T[K]> }
        : T;

/** Returns the element at an index. @throws if there is none */
export function at<T>(all: T[] | undefined, index: number): T {
  const one = all?.[index];
  if (one === undefined) throw new Error(`The valid history has no element ${index}`);
  return one;
}

/** Damages a valid history. @returns the checker's findings, as `<guarantee>: <what>` */
export function breachesAfter(damage: (history: Mutable<History>) => void): string[] {
  const history = validHistory();
  damage(history as Mutable<History>);
  return check(history).map(({ guarantee, what }) => `${guarantee}: ${what}`);
}
