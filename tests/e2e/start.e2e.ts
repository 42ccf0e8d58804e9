import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../system/eventually.ts';
import { graphAt } from '../system/graph-client.ts';
import { PARTS, type RunningStart, startStart } from '../system/running-start.ts';
import { startWatchedOrders } from '../system/watched-orders.ts';

const HEALS_WITHIN_MS = 15_000;
const STOPS_WITHIN_MS = 5_000;

let start: RunningStart;
let orders: Awaited<ReturnType<typeof startWatchedOrders>>;

beforeAll(async () => {
  start = await startStart();
  orders = await startWatchedOrders(graphAt(`${start.url}/graphql`), () => start.url);
  await orders.flows(HEALS_WITHIN_MS);
});
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return;
  process.stderr.write(`\nnpm start during "${task.name}":\n${start.output()}\n`);
});
afterAll(() => start?.clear());

test.each(PARTS)('npm start heals kill -9 of %s under a loop of orders', async (part) => {
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
  expect(start.output()).toContain(`${part} died (SIGKILL)`);
  // None of the others was started again.
  const others = PARTS.map((name, i) => (name === part ? undefined : pids[i]));
  const now = await Promise.all(PARTS.map(start.pidOf));
  expect(PARTS.map((name, i) => (name === part ? undefined : now[i]))).toEqual(others);
});

test('all of its orders settle, and the client has seen the last quantity', async () => {
  await orders.settle(HEALS_WITHIN_MS);
});

test('Ctrl-C ends npm start and everything it has started', async () => {
  expect((await start.left()).length).toBeGreaterThan(PARTS.length);
  const at = performance.now();
  start.kill('SIGINT');
  expect(await start.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - at).toBeLessThan(STOPS_WITHIN_MS);
  expect(await start.left()).toEqual([]);
});
