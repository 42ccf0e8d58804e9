import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { type NpmStart, PARTS, startNpmStart } from '@gudang/testing/system/npm-start';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWatchedOrders } from './watched-orders.ts';

const HEALS_WITHIN_MS = 15_000;
const STOPS_WITHIN_MS = 5_000;
/**
 * Maximum time until the first order is decided, in milliseconds. It is half of the session time-out
 * after which Kafka removes a dead consumer from its group.
 */
const DECIDES_WITHIN_MS = 3_000;

let start: NpmStart;
let orders: Awaited<ReturnType<typeof startWatchedOrders>>;

beforeAll(async () => {
  start = await startNpmStart();
  orders = await startWatchedOrders(graphAt(`${start.url}/graphql`), () => start.url);
  await orders.flows(HEALS_WITHIN_MS);
});
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  process.stderr.write(`\nOutput of npm start during "${task.name}":\n${start.output()}\n`);
});
afterAll(() => start?.clear());

test('the legacy REST scenario works without further steps', async () => {
  const scenario = fileURLToPath(new URL('../rest/scenario.sh', import.meta.url));
  const env = { ...process.env, ORDER_URL: start.orderUrl, STOCK_URL: start.stockUrl };
  const { stdout } = await promisify(execFile)('sh', [scenario], { env });
  const [added, ordered, shown] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { id } = added.Data;
  const stock = { id, name: 'Kopi Gayo', quantity: 100 };
  expect(added).toEqual({ Message: 'Berhasil Menambahkan Data', Data: stock });
  expect(ordered).toEqual({
    Message: 'Berhasil Menambahkan Data',
    Data: { id: expect.any(String), productid: id, quantity: 10 },
  });
  const Data = { ...stock, quantity: 90 };
  expect(shown).toEqual({ Message: 'Berhasil Mendapatkan Data Berdasarkan ID', Data });
});

test('the gateway shows the journeys of orders, without a setting', async () => {
  const complete = async () => {
    const answer = await fetch(`${start.url}/journeys`);
    const { steps, journeys } = (await answer.json()) as {
      steps: string[];
      journeys: { steps: { name: string }[] }[];
    };
    return journeys.filter((journey) => journey.steps.length === steps.length);
  };
  await eventually(complete, ({ length }) => length > 0, {
    until: 'an order was pushed to the subscriber',
  });
});

test.each(PARTS)('npm start restarts %s after SIGKILL under load', async (part) => {
  const pids = await Promise.all(PARTS.map(start.pidOf));
  const killed = await start.pidOf(part);
  expect(killed).toBeDefined();
  const at = performance.now();
  process.kill(killed as number, 'SIGKILL');
  await eventually(
    () => start.pidOf(part),
    (pid) => pid !== undefined && pid !== killed,
    { until: `${part} runs again`, within: HEALS_WITHIN_MS },
  );
  await orders.flows(HEALS_WITHIN_MS);
  expect(performance.now() - at).toBeLessThan(HEALS_WITHIN_MS);
  expect(start.output()).toMatch(
    new RegExp(
      `^ +${part} .* stopped \\(SIGKILL\\); restarting it in [\\d.]+ s\\.(.*\\n)+ +${part} .* is ready again after [\\d.]+ s\\.$`,
      'm',
    ),
  );
  // The user must not start by hand what npm start restarts.
  expect(start.output()).not.toContain('start it');
  // The other processes were not restarted.
  const others = PARTS.map((name, i) => (name === part ? undefined : pids[i]));
  const now = await Promise.all(PARTS.map(start.pidOf));
  expect(PARTS.map((name, i) => (name === part ? undefined : now[i]))).toEqual(others);
});

test('after the restarts, all orders are decided and the subscriber has received the last quantity', async () => {
  await orders.settle(HEALS_WITHIN_MS);
});

test('Ctrl-C ends npm start and all its processes', async () => {
  expect((await start.left()).length).toBeGreaterThan(PARTS.length);
  const at = performance.now();
  start.kill('SIGINT');
  expect(await start.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - at).toBeLessThan(STOPS_WITHIN_MS);
  expect(await start.left()).toEqual([]);
  // No service was killed because it took too long to stop.
  for (const part of ['gateway', 'order', 'stock'] as const) {
    expect(await start.logOf(part)).toMatch(/"msg":"stopped"\}\n$/);
  }
});

test('after another npm start, the first order is decided without waiting for the previous consumers', async () => {
  start = await startNpmStart({ GUDANG_DIR: start.folder });
  const shop = createShopClient(graphAt(`${start.url}/graphql`));
  const { id: productId } = await shop.addStock({ quantity: 1 });
  const { id } = await shop.createOrder({ productId, quantity: 1 });
  const { status } = await shop.decided(id, { within: DECIDES_WITHIN_MS });
  expect(status).toBe('CONFIRMED');
});
