import type { ClientError, LiveClient, SubscribeHandlers } from '@gudang/client';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { OrdersChangedData } from '../operations.ts';

const stored = new Map<string, string>();
vi.stubGlobal('sessionStorage', {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => stored.set(key, value),
  removeItem: (key: string) => stored.delete(key),
});
afterAll(() => void vi.unstubAllGlobals());

const order = (id: string, status: 'PENDING' | 'CONFIRMED', version = 1) => ({
  id,
  productId: 'kopi',
  quantity: 1,
  status,
  rejectionReason: null,
  createdAt: '2026-11-28T00:00:00.000Z',
  version,
  cancelRequestedAt: null,
});
const answerOf = (orderCursor: string, ...nodes: ReturnType<typeof order>[]) => ({
  orderCursor,
  orders: { nodes },
});

/** Creates an error of the client that the page uses, which is loaded again for each test. */
async function errorOf(code: string, message = 'no'): Promise<Error> {
  const { ClientError } = await import('@gudang/client');
  const errors = code === 'NETWORK_ERROR' ? [] : [{ message, extensions: { code } }];
  return new ClientError(message, { code, errors });
}

let answer: () => Promise<unknown>;
let queries: number;
let streams: SubscribeHandlers<OrdersChangedData>[];
let unsubscribed: number;

async function follow() {
  const [{ followOrders }, { createOrderStore }, token] = await Promise.all([
    import('./follow-orders.ts'),
    import('./order-store.ts'),
    import('../../graph/session-token.ts'),
  ]);
  const orders = createOrderStore();
  const client = {
    query: () => {
      queries += 1;
      return answer();
    },
    subscribe: (_document: unknown, _variables: unknown, handlers: unknown) => {
      streams.push(handlers as SubscribeHandlers<OrdersChangedData>);
      return () => {
        unsubscribed += 1;
      };
    },
  } as unknown as LiveClient;
  const followed = followOrders({
    client,
    orders,
    onState: (state) => {
      orders.apply([state]);
      orders.publish();
    },
  });
  await vi.advanceTimersByTimeAsync(0);
  return {
    ...followed,
    ...token,
    shown: () => orders.newest.get().map(({ id, status }) => `${id} ${status}`),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  stored.clear();
  queries = 0;
  streams = [];
  unsubscribed = 0;
});
afterEach(() => void vi.useRealTimers());

it('queries the newest orders, and subscribes from the cursor of this query', async () => {
  answer = async () => answerOf('c1', order('a', 'PENDING'));
  const { shown, mayShowAll } = await follow();
  expect(shown()).toEqual(['a PENDING']);
  expect(streams.map(({ after }) => after)).toEqual(['c1']);
  const data = { ordersChanged: { order: order('a', 'CONFIRMED', 2) } };
  streams[0]?.next({ data, cursor: 'c2', conflated: 0 });
  expect(shown()).toEqual(['a CONFIRMED']);
  expect(mayShowAll()).toBe(true);
});

it('repeats a query that gets no answer, and starts again when the cursor is too old', async () => {
  answer = async () => {
    throw await errorOf('NETWORK_ERROR');
  };
  await follow();
  answer = async () => answerOf('c1');
  await vi.advanceTimersByTimeAsync(2_000);
  expect([queries, streams.length]).toEqual([2, 1]);
  answer = async () => answerOf('c9');
  streams[0]?.error?.((await errorOf('CURSOR_EXPIRED')) as ClientError);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(streams.map(({ after }) => after)).toEqual(['c1', 'c9']);
});

it('shows earlier states after the database was restored', async () => {
  answer = async () => answerOf('c1', order('a', 'CONFIRMED', 2), order('b', 'CONFIRMED', 2));
  const { shown } = await follow();
  answer = async () => answerOf('c0', order('a', 'PENDING'));
  const snapshot = { phase: 'begin', complete: false, reset: true } as const;
  streams[0]?.next({ data: null, cursor: null, conflated: 0, snapshot });
  expect(shown()).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(shown()).toEqual(['a PENDING']);
  expect(unsubscribed).toBe(1);
});

it('does not repeat a query that needs a token, until the user signs in', async () => {
  answer = async () => {
    throw await errorOf('UNAUTHENTICATED');
  };
  const { sessionToken, setToken, noteRefused, mayShowAll } = await follow();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([queries, sessionToken.get().wanted]).toEqual([1, true]);
  answer = async () => answerOf('c1');
  setToken('mine');
  await vi.advanceTimersByTimeAsync(0);
  expect([queries, streams.length, mayShowAll()]).toEqual([2, 1, false]);
  answer = async () => {
    throw await errorOf('UNAUTHENTICATED');
  };
  noteRefused('mine', 'it has expired');
  await vi.advanceTimersByTimeAsync(60_000);
  expect([queries, unsubscribed]).toEqual([3, 1]);
});

it('ignores the answer to the query of an earlier token', async () => {
  let late: (answer: unknown) => void = () => {};
  answer = () =>
    new Promise((resolve) => {
      late = resolve;
    });
  const { setToken, shown } = await follow();
  answer = async () => answerOf('c2', order('mine', 'PENDING'));
  setToken('mine');
  await vi.advanceTimersByTimeAsync(0);
  late(answerOf('c1', order('other', 'PENDING')));
  await vi.advanceTimersByTimeAsync(0);
  expect(shown()).toEqual(['mine PENDING']);
  expect(streams.map(({ after }) => after)).toEqual(['c2']);
});
