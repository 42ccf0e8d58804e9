import { encodeOrderCancelled, ORDER_CANCELLED } from '@gudang/events';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';

const system = useSystem();
const ORDER = 'order { id status rejectionReason decidedAt cancelledAt }';
const STREAM = `subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) { kind at ${ORDER} } }`;
const LEDGER = `query ($id: ID!) { stock(id: $id) { movements { nodes { kind at ${ORDER} } } } }`;

async function sendCancellation(
  cancellation: Parameters<typeof encodeOrderCancelled>[0],
): Promise<void> {
  const { kafkaBrokers, topicPrefix } = system();
  const kafka = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = [{ key: cancellation.productId, value: encodeOrderCancelled(cancellation) }];
  await producer.send({ topic: `${topicPrefix}${ORDER_CANCELLED}`, messages });
  await producer.disconnect();
}

/** A lock under which orders are created but not settled. */
let lock: pg.Client;
beforeEach(async () => {
  lock = new pg.Client({ connectionString: system().databaseUrls.order });
  await lock.connect();
  // Updates of `orders` wait for this trigger's lock; inserts do not.
  await lock.query(`CREATE OR REPLACE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(20261127); RETURN NEW; END $$`);
  await lock.query(`CREATE OR REPLACE TRIGGER wait_for_test BEFORE UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION wait_for_test()`);
  await lock.query('SELECT pg_advisory_lock(20261127)');
});
afterEach(() => lock.end());

test('an ORDERED change and its ledger entry show the decision while order_db still shows PENDING', async () => {
  const shop = createShopClient(system().graph);
  const after = await shop.stockCursor();
  const { id } = await shop.addStock({ quantity: 10 });
  const live = await system().live({ query: STREAM, variables: { ids: [id], after } });
  const order = await shop.createOrder({ productId: id, quantity: 1 });

  const { data } = await live.waitFor(({ stockChanged }) => stockChanged.kind === 'ORDERED');
  const { at } = data.stockChanged;
  const decision = {
    id: order.id,
    status: 'CONFIRMED',
    rejectionReason: null,
    decidedAt: at,
    cancelledAt: null,
  };
  expect(data.stockChanged.order).toEqual(decision);
  const { stock } = await dataOf(system().graph(LEDGER, { id }));
  expect(stock.movements.nodes[0]).toEqual({ kind: 'ORDERED', at, order: decision });
  expect(await shop.order(order.id)).toMatchObject({ status: 'PENDING', decidedAt: null });

  await lock.query('SELECT pg_advisory_unlock_all()');
  expect(await shop.decided(order.id)).toMatchObject({ status: 'CONFIRMED', decidedAt: at });
  await live.close();
});

test('a RETURNED change and both ledger entries show the cancellation while order_db still shows PENDING', async () => {
  const shop = createShopClient(system().graph);
  const after = await shop.stockCursor();
  const { id } = await shop.addStock({ quantity: 10 });
  const live = await system().live({ query: STREAM, variables: { ids: [id], after } });
  const order = await shop.createOrder({ productId: id, quantity: 4 });
  const taken = await live.waitFor(({ stockChanged }) => stockChanged.kind === 'ORDERED');
  await sendCancellation({ id: order.id, productId: id, quantity: 4, requestedAt: new Date() });

  const { data } = await live.waitFor(({ stockChanged }) => stockChanged.kind === 'RETURNED');
  const { at } = data.stockChanged;
  const decision = {
    id: order.id,
    status: 'CANCELLED',
    rejectionReason: null,
    decidedAt: taken.data.stockChanged.at,
    cancelledAt: at,
  };
  expect(data.stockChanged.order).toEqual(decision);
  const { stock } = await dataOf(system().graph(LEDGER, { id }));
  expect(stock.movements.nodes).toEqual([
    { kind: 'RETURNED', at, order: decision },
    { kind: 'ORDERED', at: decision.decidedAt, order: decision },
    { kind: 'CREATED', at: expect.any(String), order: null },
  ]);
  expect(await shop.stock(id)).toMatchObject({ quantity: 10 });
  expect(await shop.order(order.id)).toMatchObject({ status: 'PENDING', decidedAt: null });
  await live.close();
});

test('fields of the order subgraph beside the decision do not change it', async () => {
  const shop = createShopClient(system().graph);
  const after = await shop.stockCursor();
  const { id } = await shop.addStock({ quantity: 10 });
  const query = `subscription ($ids: [ID!], $after: String) {
    stockChanged(ids: $ids, after: $after) { kind order { quantity status productId decidedAt } } }`;
  const live = await system().live({ query, variables: { ids: [id], after } });
  const order = await shop.createOrder({ productId: id, quantity: 2 });
  const { data } = await live.waitFor(({ stockChanged }) => stockChanged.kind === 'ORDERED');
  expect(data.stockChanged.order).toEqual({
    quantity: 2,
    status: 'CONFIRMED',
    productId: id,
    decidedAt: expect.any(String),
  });
  expect(await shop.order(order.id)).toMatchObject({ status: 'PENDING' });
  await live.close();
});

test('the stock subgraph shows no decision for a reference to an order', async () => {
  const shop = createShopClient(system().graph);
  const { id } = await shop.addStock({ quantity: 10 });
  const order = await shop.createOrder({ productId: id, quantity: 1 });
  await lock.query('SELECT pg_advisory_unlock_all()');
  await shop.decided(order.id);
  const direct = graphAt(`${system().stock.url}/graphql`);
  const { _entities } = await dataOf(
    direct(
      `query ($references: [_Any!]!) {
        _entities(representations: $references) { ... on Order { id status } } }`,
      { references: [{ __typename: 'Order', id: order.id, at: '2026-01-01T00:00:00.000Z' }] },
    ),
  );
  expect(_entities).toEqual([null]);
});
