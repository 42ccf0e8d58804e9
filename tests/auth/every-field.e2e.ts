import { randomUUID } from 'node:crypto';
import {
  authorizationOf,
  CALLER_NAMES,
  type CallerName,
  expectedOutcome,
  maySeeSitisOrder,
  SECURED,
} from '@gudang/testing/clients/callers';
import { dataOf, type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, expect, it } from 'vitest';
import { executeOnce, type Outcome, QUERY_PROTOCOLS, STREAM_PROTOCOLS } from './execute-once.ts';
import { FIELDS, type Ids, waysTo } from './graph-fields.ts';

const system = useSystem({ environment: { all: SECURED } });
const url = (): string => `${system().gateway.url}/graphql`;
const as = async (name: CallerName): Promise<Graph> => graphAt(url(), await authorizationOf(name));
const authorizations = new Map<CallerName, string | undefined>();

let ids: Omit<Ids, 'spare'>;
beforeAll(async () => {
  for (const name of CALLER_NAMES) authorizations.set(name, await authorizationOf(name));
  const siti = await as('Siti with scopes');
  const { stockCursor } = await dataOf(siti('{ stockCursor }'));
  const { addStock } = await dataOf(
    siti('mutation { addStock(input: { name: "Kopi", quantity: 500 }) { id } }'),
  );
  // Reads the cursor of the stock's first change. The order below causes the next change.
  const { data } = await executeOnce(
    url(),
    `subscription { stockChanged(ids: ["${addStock.id}"], after: "${stockCursor}") { cursor } }`,
    authorizations.get('Siti with scopes'),
    'server-sent events',
  );
  const { cursor } = (data as { stockChanged: { cursor: string } }).stockChanged;
  const { createOrder } = await dataOf(
    siti('mutation ($id: ID!) { createOrder(input: { productId: $id, quantity: 1 }) { id } }', {
      id: addStock.id,
    }),
  );
  await eventually(
    () => dataOf(siti('query ($id: ID!) { order(id: $id) { status } }', { id: createOrder.id })),
    ({ order }) => order.status === 'CONFIRMED',
  );
  const anHourAgo = (Date.now() - 3_600_000).toString(36);
  const orderCursor = Buffer.from(`1o,${randomUUID()},0,${anHourAgo}`).toString('base64url');
  ids = { order: createOrder.id, stock: addStock.id, cursor, orderCursor };
});

/**
 * Stores an order of Budi, so that his stream of orders has an event. Its change is older than the newest
 * one of the feed, because a snapshot leaves later changes to the feed.
 */
async function withOrderOfBudi(test: () => Promise<void>): Promise<void> {
  const { order } = system().databases;
  await order(
    `INSERT INTO orders (id, owner, product_id, quantity, status, rejection_reason, decided_at, changed_at)
     VALUES (gen_random_uuid(), 'Budi', 'old', 1, 'REJECTED', 'OUT_OF_STOCK', now(),
       now() - interval '10 minutes')`,
  );
  try {
    await test();
  } finally {
    await order("DELETE FROM orders WHERE product_id = 'old'");
  }
}

/** Adds a stock for a test to delete. */
async function spare(): Promise<string> {
  const siti = await as('Siti with scopes');
  const added = await dataOf(
    siti('mutation { addStock(input: { name: "Spare", quantity: 1 }) { id } }'),
  );
  return added.addStock.id;
}

function outcomeOf({ data, codes }: Outcome, path: readonly (string | number)[]): unknown {
  if (codes.length > 0) return codes[0];
  const shown = path.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown> | null | undefined)?.[step],
    data,
  );
  return shown == null ? 'nothing' : 'allowed';
}

// The mutations run last, because the queries expect Siti's order as the newest ledger entry.
const NO_IDS: Ids = { order: '', stock: '', spare: '', cursor: '', orderCursor: '' };
const changes = ({ ask }: { ask: (ids: Ids) => string }): boolean =>
  ask(NO_IDS).startsWith('mutation');
const WAYS = FIELDS.flatMap(waysTo).sort(
  (one, other) => Number(changes(one)) - Number(changes(other)),
);

/** Each root field over all protocols. Each other field over one: the protocols share what decides on it. */
const OVER = WAYS.flatMap((way, index) => {
  const isStream = way.ask(NO_IDS).startsWith('subscription');
  const protocols = isStream ? STREAM_PROTOCOLS : QUERY_PROTOCOLS;
  const isRoot = /^(Query|Mutation|Subscription)\./.test(way.name);
  return protocols
    .filter((_, place) => isRoot || place === index % protocols.length)
    .map((protocol) => ({ ...way, protocol }));
});

it.each(OVER)(
  '$name over $protocol accepts only callers with the required token and scope',
  async (way) => {
    const isOfOrders = way.ask(NO_IDS).includes('ordersChanged');
    await (isOfOrders ? withOrderOfBudi(() => check(way)) : check(way));
  },
);

async function check({
  ask,
  needs,
  path,
  ofOrder,
  name,
  protocol,
}: (typeof OVER)[number]): Promise<void> {
  const got: Record<string, unknown> = {};
  const expected: Record<string, unknown> = {};
  for (const caller of CALLER_NAMES) {
    const query = ask({ ...ids, spare: name.endsWith('deleteStock') ? await spare() : '' });
    const outcome = await executeOnce(url(), query, authorizations.get(caller), protocol);
    got[caller] = outcomeOf(outcome, path);
    const allowed = expectedOutcome(caller, needs);
    const hidden = allowed === 'allowed' && ofOrder && !maySeeSitisOrder(caller);
    const unseen = /^(Subscription|Mutation)/.test(name) ? 'NOT_FOUND' : 'nothing';
    expected[caller] = hidden ? unseen : allowed;
  }
  expect(got).toEqual(expected);
}

it('the tests above cover every field of the graph', () => {
  const asked = new Set(WAYS.map(({ name }) => name.split(' ')[0]));
  expect(FIELDS.length).toBeGreaterThan(50);
  expect([...asked].sort()).toEqual(FIELDS.map(({ coordinate }) => coordinate).sort());
});
