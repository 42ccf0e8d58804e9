import { type OrderCancelled, type OrderCreated, STOCK_QUANTITY } from '@gudang/events';
import fc from 'fast-check';

/** A record of order_created, or one of order_cancelled, which has `requestedAt`. */
export type OrderRequest = OrderCreated | OrderCancelled;

export type RequestTopic = 'created' | 'cancelled';

/** One step of a history: a batch of one consumer, or a change of a stock. */
export type HistoryStep =
  | { readonly kind: 'deliver'; readonly topic: RequestTopic; readonly batch: OrderRequest[] }
  /** Deletes the stock if it exists; otherwise adds it with this quantity. */
  | { readonly kind: 'replace'; readonly productId: string; readonly quantity: number }
  /** Sets the quantity of the stock, if it exists. */
  | { readonly kind: 'update'; readonly productId: string; readonly quantity: number };

/**
 * A history of orders for two stocks, as the stock service may see it. Its steps deliver every record of
 * both topics at least once, in the order of the topic, and may deliver it again.
 */
export interface OrderHistory {
  readonly steps: readonly HistoryStep[];
  readonly orderIds: readonly string[];
}

/** Ids of the stocks of a history. `FULL` holds almost the maximum, so that returns may be refused. */
export const SMALL = 'small';
export const FULL = 'full';
const UNKNOWN = 'unknown';

/** Time of the first request to cancel. Each further request of a history is 1 ms later. */
const FIRST_REQUEST = Date.parse('2026-01-02T03:04:05.000Z');

const quantityOf = (productId: string, units: number): number =>
  productId === FULL ? STOCK_QUANTITY.max - units : units;
const units = fc.constantFrom(0, 0, 1, 2, 3, 5, 9);
const product = fc.constantFrom(SMALL, FULL);
const topic = fc.constantFrom<RequestTopic>('created', 'cancelled');

const order = fc.record({
  productId: fc.constantFrom(SMALL, SMALL, SMALL, FULL, FULL, UNKNOWN),
  quantity: fc.integer({ min: 1, max: 5 }),
  /** Number of records in order_created. */
  created: fc.constantFrom(1, 1, 1, 1, 2, 0),
  /** Number of requests to cancel, each with a time of its own. */
  requests: fc.constantFrom(1, 1, 1, 2, 3, 0),
  /** Number of records of the last request. */
  repeats: fc.constantFrom(1, 1, 2),
  /** A record with another product or quantity. */
  contradicts: fc.constantFrom<RequestTopic | undefined>(
    undefined,
    undefined,
    undefined,
    'created',
    'cancelled',
  ),
});
type OrderSpec = typeof order extends fc.Arbitrary<infer T> ? T : never;

const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('take' as const), topic, count: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('rewind' as const), topic, count: units }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replace' as const), product, units }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('update' as const), product, units }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/**
 * Generates histories: all interleavings of orders, requests to cancel, repeated records, replays from an
 * earlier offset, contradictory records, deletions, and stocks that are added again.
 */
export const orderHistories: fc.Arbitrary<OrderHistory> = fc
  .record({
    orders: fc.array(order, { minLength: 1, maxLength: 5 }),
    actions: fc.array(action, { maxLength: 24 }),
    last: topic,
    held: fc.tuple(units, units),
    order: fc.infiniteStream(fc.nat(1_000)),
  })
  .map(({ orders, actions, last, held, order: keys }) => {
    const logs = createLogs(orders);
    // Records of different orders reach a topic in any sequence; those of one order may be swapped too.
    const key = (): number => keys.next().value ?? 0;
    const shuffled = {
      created: shuffle(logs.created, key),
      cancelled: shuffle(logs.cancelled, key),
    };
    const steps: HistoryStep[] = [SMALL, FULL].map((productId, index) => ({
      kind: 'replace',
      productId,
      quantity: quantityOf(productId, held[index] ?? 0),
    }));
    deliver(steps, shuffled, actions, last);
    return { steps, orderIds: orders.map((_, index) => idOf(index)) };
  });

function idOf(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
}

function createLogs(orders: readonly OrderSpec[]): Record<RequestTopic, OrderRequest[]> {
  const created: OrderRequest[] = [];
  const cancelled: OrderRequest[] = [];
  let time = FIRST_REQUEST;
  for (const [index, spec] of orders.entries()) {
    const one = { id: idOf(index), productId: spec.productId, quantity: spec.quantity };
    for (let copy = 0; copy < spec.created; copy += 1) created.push(one);
    for (let request = 1; request <= spec.requests; request += 1) {
      time += 1;
      const copies = request === spec.requests ? spec.repeats : 1;
      const record = { ...one, requestedAt: new Date(time) };
      for (let copy = 0; copy < copies; copy += 1) cancelled.push(record);
    }
    if (spec.contradicts === 'created') created.push({ ...one, quantity: one.quantity + 1 });
    if (spec.contradicts === 'cancelled') {
      const productId = one.productId === SMALL ? FULL : SMALL;
      cancelled.push({ ...one, productId, requestedAt: new Date(time) });
    }
  }
  return { created, cancelled };
}

function shuffle<T>(all: readonly T[], key: () => number): T[] {
  return all
    .map((one) => ({ one, at: key() }))
    .sort((one, other) => one.at - other.at)
    .map(({ one }) => one);
}

/** Adds the actions, then the rest of both topics, then all records once more. */
function deliver(
  steps: HistoryStep[],
  logs: Readonly<Record<RequestTopic, readonly OrderRequest[]>>,
  actions: readonly Action[],
  last: RequestTopic,
): void {
  const offsets = { created: 0, cancelled: 0 };
  const take = (from: RequestTopic, count: number): void => {
    const end = Math.min(logs[from].length, offsets[from] + count);
    const batch = logs[from].slice(offsets[from], end);
    offsets[from] = end;
    if (batch.length > 0) steps.push({ kind: 'deliver', topic: from, batch });
  };
  for (const action of actions) {
    if (action.kind === 'take') take(action.topic, action.count);
    else if (action.kind === 'rewind') {
      offsets[action.topic] = Math.max(0, offsets[action.topic] - action.count);
    } else {
      const { kind, product: productId } = action;
      steps.push({ kind, productId, quantity: quantityOf(productId, action.units) });
    }
  }
  const topics: RequestTopic[] =
    last === 'created' ? ['cancelled', 'created'] : ['created', 'cancelled'];
  for (const from of topics) take(from, logs[from].length);
  for (const from of topics) {
    offsets[from] = 0;
    take(from, logs[from].length);
  }
}

/**
 * Returns the first generated histories, with ids of their own, so that all of them can use one database.
 * @param count at most 65,536
 */
export function sampleHistories(count: number, seed: number): OrderHistory[] {
  return fc.sample(orderHistories, { numRuns: count, seed }).map(relabel);
}

function relabel({ steps, orderIds }: OrderHistory, number: number): OrderHistory {
  const group = number.toString(16).padStart(4, '0');
  const orderOf = (id: string): string => id.replace('-0000-', `-${group}-`);
  const productOf = (id: string): string => `${id}-${number}`;
  return {
    orderIds: orderIds.map(orderOf),
    steps: steps.map((step) =>
      step.kind === 'deliver'
        ? {
            ...step,
            batch: step.batch.map((request) => ({
              ...request,
              id: orderOf(request.id),
              productId: productOf(request.productId),
            })),
          }
        : { ...step, productId: productOf(step.productId) },
    ),
  };
}
