import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createLegacySystem, type LegacySystem } from '@gudang/move-in/testing';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import type { Rows } from '@gudang/testing/system/databases';
import { runScript } from '@gudang/testing/system/run-script';
import { useSystem } from '@gudang/testing/system/use-system';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

const script = fileURLToPath(new URL('../../packages/move-in/dist/main.js', import.meta.url));
const system = useSystem();
let legacy: LegacySystem;
beforeAll(async () => {
  const { kafkaBrokers, topicPrefix } = system();
  const client = new Kafka({ brokers: [kafkaBrokers], logLevel: logLevel.NOTHING });
  legacy = await createLegacySystem({ postgresUrl: inject('postgresUrl'), client });
  await legacy.reset(`${topicPrefix}order_created`);
});
afterAll(() => legacy?.close());

function runMoveIn(...more: readonly string[]) {
  const { kafkaBrokers, topicPrefix, databaseUrls } = system();
  const { orderDb, stockDb, group, topic } = legacy;
  const args = [
    ...['--order-db', orderDb, '--stock-db', stockDb, '--kafka', kafkaBrokers],
    ...['--group', group, '--topic', topic, ...more],
  ];
  const environment = {
    ORDER_DATABASE_URL: databaseUrls.order,
    STOCK_DATABASE_URL: databaseUrls.stock,
    KAFKA_TOPIC_PREFIX: topicPrefix,
  };
  return runScript(script, environment, { args });
}

/** The rows on which an order's quantity depends. */
const stocksAndLedger = async () => {
  const { stock } = system().databases;
  return {
    stocks: await stock('SELECT id, quantity, version FROM stocks ORDER BY id'),
    entries: await stock('SELECT stock_id, version, delta FROM movements ORDER BY 1, 2'),
  };
};

test('moves a legacy system whose topic the new stock service then reads from its beginning', async () => {
  const { stock, databases, graph } = system();
  const shop = createShopClient(graph);
  await stock.stop();

  // Of 100 kopi, the legacy stock service has subtracted 20 orders. It has oversold teh.
  await legacy.addStock('kopi', 80);
  await legacy.addStock('teh', -3);
  const consumed: string[] = [];
  for (let index = 0; index < 20; index += 1) consumed.push(await legacy.addOrder('kopi', 1));
  const oversold = await legacy.addOrder('teh', 4);
  const waiting = [await legacy.addOrder('kopi', 5), await legacy.addOrder('teh', 1)];
  const unsent = await legacy.addOrder('kopi', 2);
  const rowless = randomUUID();
  const sent = [
    ...consumed.map((id) => ({ id, productId: 'kopi', quantity: 1 })),
    { id: oversold, productId: 'teh', quantity: 4 },
    { id: rowless, productId: 'kopi', quantity: 1 },
    { id: waiting[0] ?? '', productId: 'kopi', quantity: 5 },
    { id: waiting[1] ?? '', productId: 'teh', quantity: 1 },
  ];
  await legacy.send(...sent);
  await legacy.commit(22);

  const rehearsal = await runMoveIn('--dry-run');
  expect(rehearsal).toMatchObject({ code: 0, stderr: '' });
  expect(await databases.order('SELECT id FROM orders')).toEqual([]);
  expect(await runMoveIn()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('1 orders have no record in the topic. Choose --unsent'),
  });
  const moved = await runMoveIn('--unsent', 'pending');
  expect(moved).toMatchObject({ code: 0, stderr: '' });
  expect(moved.stdout).toContain('orders           24 (3 PENDING), 0 there already');

  await stock.restart();
  await stock.ready();
  for (const id of [...waiting, unsent]) await shop.decided(id);
  // The consumer has read the whole topic: the records of the waiting orders are its last ones.
  expect(await shop.stock('kopi')).toMatchObject({ quantity: 80 - 5 - 2 });
  expect(await shop.stock('teh')).toMatchObject({ quantity: 0 });
  expect(await shop.order(waiting[1] ?? '')).toMatchObject({ rejectionReason: 'OUT_OF_STOCK' });
  expect(await shop.order(consumed[0] ?? '')).toMatchObject({ status: 'CONFIRMED' });
  const answers = await databases.stock(
    'SELECT count(*)::int AS count FROM decisions WHERE order_id = ANY($1)',
    [[...consumed, oversold, rowless]],
  );
  expect(answers).toEqual([{ count: 22 }]);
  const deadLetters = await databases.stock("SELECT id FROM outbox WHERE topic LIKE '%.dlt'");
  expect(deadLetters).toEqual([]);

  const fresh = await shop.createOrder({ productId: 'kopi', quantity: 3 });
  expect(await shop.decided(fresh.id)).toMatchObject({ status: 'CONFIRMED' });
  expect(await shop.stock('kopi')).toMatchObject({ quantity: 70 });
}, 120_000);

test('returns the quantity of a moved order that is cancelled', async () => {
  const shop = createShopClient(system().graph);
  const [order] = await system().databases.order(
    "SELECT id FROM orders WHERE product_id = 'kopi' AND quantity = 1 ORDER BY id LIMIT 1",
  );
  const id = String(order?.['id']);
  await shop.cancelOrder({ id });
  expect(await shop.cancelDecided(id)).toMatchObject({ status: 'CANCELLED' });
  const returned = (quantity: number | undefined) => quantity === 71;
  await eventually(async () => (await shop.stock('kopi'))?.quantity, returned);
});

test('moves what the legacy order service has sent since, and changes nothing else', async () => {
  const { stock, databases, graph } = system();
  const shop = createShopClient(graph);
  expect(await runMoveIn('--unsent', 'pending')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('stop the new stock service and try again'),
  });
  const late = { productId: 'kopi', quantity: 4, id: await legacy.addOrder('kopi', 4) };
  await legacy.send(late);
  const decided = (rows: Rows) => rows.length === 1;
  const decision = 'SELECT status FROM decisions WHERE order_id = $1';
  await eventually(() => databases.stock(decision, [late.id]), decided);
  await stock.stop();
  const before = await stocksAndLedger();
  const repeated = await runMoveIn('--unsent', 'pending');
  expect(repeated).toMatchObject({ code: 0, stderr: '' });
  expect(repeated.stdout).toContain('stocks            0, 2 there already');
  expect(repeated.stdout).toContain('orders            1 (1 PENDING), 24 there already');
  await stock.restart();
  await stock.ready();
  expect(await shop.decided(late.id)).toMatchObject({ status: 'CONFIRMED' });
  expect(await stocksAndLedger()).toEqual(before);
});

test('names the problem of a wrong command and of an unavailable server', async () => {
  const bare = await runScript(script, {}, { args: ['--group', 'g'] });
  expect(bare).toMatchObject({ code: 2, stdout: '' });
  expect(bare.stderr).toMatch(
    /^--order-db, --stock-db, --kafka must be given\n\nUsage: npm run move-in/,
  );
  expect(await runMoveIn('--dry-run', '--kafka', '127.0.0.1:1')).toMatchObject({
    ...{
      code: 1,
      stderr: expect.stringMatching(/^Kafka at 127.0.0.1:1 does not answer: .* --kafka /),
    },
  });
  const unavailable = new URL(legacy.orderDb);
  unavailable.port = '1';
  expect(await runMoveIn('--dry-run', '--order-db', unavailable.href)).toMatchObject({
    ...{
      code: 1,
      stderr: expect.stringMatching(/^The database legacy_order_\w+ at .*:1 .*Check --order-db/),
    },
  });
});
