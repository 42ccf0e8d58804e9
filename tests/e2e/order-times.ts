import { randomUUID } from 'node:crypto';
import { ORDER_CHANGED, ORDER_CREATED, ORDER_DECIDED, STOCK_CHANGED } from '@gudang/events';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import type { System } from '@gudang/testing/system/system';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { expect } from 'vitest';

/**
 * Instants at a change of clocks in America/New_York: the two passes of the repeated hour, and the first
 * instant after the missing hour.
 */
export const CHANGES_OF_CLOCKS = [
  '2026-11-01T05:30:00.000Z',
  '2026-11-01T06:30:00.000Z',
  '2026-03-08T07:00:00.000Z',
] as const;

const kafkaOf = ({ kafkaBrokers }: System) =>
  new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });

/** Reads the JSON values of a topic until one meets the condition, and returns it. */
// biome-ignore lint/suspicious/noExplicitAny: records of any shape, asserted on by the test
async function recordOf(system: System, topic: string, fits: (value: any) => boolean) {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  const values: any[] = [];
  const consumer = kafkaOf(system).consumer({ groupId: randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topic: `${system.topicPrefix}${topic}`, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message: { value } }) => {
      if (value) values.push(JSON.parse(String(value)));
    },
  });
  try {
    return await eventually(
      () => values.find(fits),
      (found) => found !== undefined,
    );
  } finally {
    await consumer.disconnect();
  }
}

/** Checks that the times of one order and its stock are the same wherever they are shown. */
export async function expectSameTimesEverywhere(system: System): Promise<void> {
  const { graph, live } = system;
  const shop = createShopClient(graph);
  const begun = Date.now();
  const after = await shop.stockCursor();
  const { id } = await shop.addStock({ quantity: 10 });
  const changes = await live({
    query: `subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) {
      kind at order { id decidedAt } stock { createdAt updatedAt } } }`,
    variables: { ids: [id], after },
  });
  const created = await shop.createOrder({ productId: id, quantity: 1 });
  const order = await shop.decided(created.id);
  const watched = await live({
    query: 'subscription ($id: ID!) { orderChanged(id: $id) { status createdAt decidedAt } }',
    variables: { id: created.id },
  });
  const { data: shown } = await watched.waitFor(({ orderChanged }) => orderChanged !== null);
  const { data: change } = await changes.waitFor(
    ({ stockChanged }) => stockChanged.kind === 'ORDERED',
  );
  await Promise.all([changes.close(), watched.close()]);
  const { stock } = await dataOf(
    graph(
      `query ($id: ID!) { stock(id: $id) { createdAt updatedAt movements { nodes { kind at } }
        orders(status: CONFIRMED) { nodes { createdAt decidedAt } } } }`,
      { id },
    ),
  );

  const { createdAt, decidedAt } = order;
  expect(Math.abs(Date.parse(createdAt) - begun)).toBeLessThan(60_000);
  expect(created.createdAt).toBe(createdAt);
  expect(shown.orderChanged).toEqual({ status: 'CONFIRMED', createdAt, decidedAt });
  expect(stock.orders.nodes).toEqual([{ createdAt, decidedAt }]);
  expect(stock.updatedAt).toBe(decidedAt);
  expect(stock.movements.nodes[0]).toEqual({ kind: 'ORDERED', at: decidedAt });
  expect(stock.movements.nodes[1]).toEqual({ kind: 'CREATED', at: stock.createdAt });
  expect(change.stockChanged).toEqual({
    kind: 'ORDERED',
    at: decidedAt,
    order: { id: order.id, decidedAt },
    stock: { createdAt: stock.createdAt, updatedAt: decidedAt },
  });

  const ofOrder = (value: { id?: string; order_id?: string }) =>
    value.id === order.id || value.order_id === order.id;
  expect(await recordOf(system, ORDER_CREATED, ofOrder)).toMatchObject({ timestamp: createdAt });
  expect(await recordOf(system, ORDER_DECIDED, ofOrder)).toMatchObject({ decided_at: decidedAt });
  expect(
    await recordOf(system, ORDER_CHANGED, (value) => ofOrder(value) && value.decided_at !== null),
  ).toMatchObject({ created_at: createdAt, decided_at: decidedAt });
  expect(await recordOf(system, STOCK_CHANGED, ofOrder)).toMatchObject({ updated_at: decidedAt });
}

interface OrderPage {
  readonly orders: {
    readonly nodes: readonly { readonly id?: string; readonly createdAt?: string }[];
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage?: boolean };
  };
}

/** Checks that pages, one row each, contain every order and stock once, newest first. */
export async function expectPagesInOrder(system: System): Promise<void> {
  const { graph } = system;
  const shop = createShopClient(graph);
  const { id } = await shop.addStock({ quantity: 10 });
  const added: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    added.push((await shop.createOrder({ productId: id, quantity: 1 })).id);
  }
  const QUERY = `query ($id: ID!, $after: String) {
    orders(productId: $id, first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }`;
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const { orders }: OrderPage = await dataOf(graph<OrderPage>(QUERY, { id, after }));
    seen.push(...orders.nodes.map((node) => node.id ?? ''));
    if (!orders.pageInfo.hasNextPage) break;
    after = orders.pageInfo.endCursor;
  }
  expect(seen).toEqual(added.toReversed());

  const second = await shop.addStock({ quantity: 1 });
  const STOCKS = `query ($after: String) { stocks(first: 1, after: $after) {
    nodes { id } pageInfo { endCursor } } }`;
  const { stocks: first } = await dataOf(graph(STOCKS));
  const { stocks: next } = await dataOf(graph(STOCKS, { after: first.pageInfo.endCursor }));
  expect([...first.nodes, ...next.nodes]).toEqual([{ id: second.id }, { id }]);
}

/** Checks that a snapshot after a cursor of another epoch contains a deletion since that cursor. */
export async function expectDeletionsInSnapshot(system: System): Promise<void> {
  const shop = createShopClient(system.graph);
  const gone = await shop.addStock({ quantity: 3 });
  const cursor = Buffer.from(await shop.stockCursor(), 'base64url').toString();
  await shop.deleteStock(gone.id);
  const foreign = cursor.replace(/[0-9a-f-]{36}/, randomUUID());
  expect(foreign).not.toBe(cursor);
  const live = await system.live({
    query: `subscription ($ids: [ID!], $after: String) {
      stockChanged(ids: $ids, after: $after) { kind stock { id quantity } } }`,
    variables: { ids: [gone.id], after: Buffer.from(foreign).toString('base64url') },
  });
  const { data } = await live.waitFor(() => true);
  await live.close();
  expect(data.stockChanged).toEqual({ kind: 'DELETED', stock: { id: gone.id, quantity: 3 } });
}

/** Checks that the reconciler publishes an old order, but not before RECONCILE_AFTER. */
export async function expectLostOrderSettled(system: System): Promise<void> {
  const shop = createShopClient(system.graph);
  const { id } = await shop.addStock({ quantity: 10 });
  const orderId = randomUUID();
  await system.databases.order(
    `INSERT INTO orders (id, product_id, quantity, created_at)
     VALUES ($1, $2, 1, now() - interval '10 minutes')`,
    [orderId, id],
  );
  expect(await shop.decided(orderId, { within: 30_000 })).toMatchObject({ status: 'CONFIRMED' });
}

/** Checks that a decision at a change of clocks is stored and shown with its own time. */
export async function expectChangesOfClocksKept(system: System): Promise<void> {
  const { graph, databases, topicPrefix } = system;
  const shop = createShopClient(graph);
  const productId = randomUUID();
  const ids: string[] = CHANGES_OF_CLOCKS.map(() => randomUUID());
  await databases.order(
    `INSERT INTO orders (id, product_id, quantity, created_at)
     SELECT id, $1, 1, at FROM unnest($2::uuid[], $3::timestamptz[]) AS given (id, at)`,
    [productId, ids, [...CHANGES_OF_CLOCKS]],
  );
  const producer = kafkaOf(system).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({
    topic: `${topicPrefix}${ORDER_DECIDED}`,
    messages: CHANGES_OF_CLOCKS.map((at, index) => ({
      key: ids[index] ?? null,
      value: JSON.stringify({
        order_id: ids[index],
        product_id: productId,
        status: 'REJECTED',
        reason: 'UNKNOWN_PRODUCT',
        quantity_after: null,
        decided_at: at,
      }),
    })),
  });
  await producer.disconnect();
  for (const [index, at] of CHANGES_OF_CLOCKS.entries()) {
    const order = await shop.decided(ids[index] ?? '');
    expect(order).toMatchObject({ createdAt: at, decidedAt: at });
  }
  const QUERY = `query ($id: ID!, $after: String) {
    orders(productId: $id, first: 1, after: $after) { nodes { createdAt } pageInfo { endCursor } } }`;
  const seen: string[] = [];
  for (let after: string | null = null; seen.length < CHANGES_OF_CLOCKS.length; ) {
    const { orders }: OrderPage = await dataOf(graph<OrderPage>(QUERY, { id: productId, after }));
    seen.push(orders.nodes[0]?.createdAt ?? 'no order');
    after = orders.pageInfo.endCursor;
  }
  expect(seen).toEqual([...CHANGES_OF_CLOCKS].sort().toReversed());
}
