import { type IncomingMessage, request } from 'node:http';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { gatewayMetric } from '@gudang/testing/system/bench-system';
import { useSystem } from '@gudang/testing/system/use-system';
import { expect, test } from 'vitest';

/** Stocks that are added before the subscription; their events have 27 KB each, 16 MB together. */
const STOCKS = 600;
const STOCKS_PER_REQUEST = 50;
const ALIASES = 98;
const NAME = 'x'.repeat(255);
/** The limit above which a catch-up waits for its client, and some executed events. */
const QUEUE_BYTES = 1024 * 1024;

const system = useSystem();

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function addStocks(first: number): Promise<void> {
  const fields = range(STOCKS_PER_REQUEST).map(
    (index) =>
      `s${index}: addStock(input: { id: "${first + index}", name: $name, quantity: 1 }) { id }`,
  );
  await dataOf(system().graph(`mutation ($name: String!) { ${fields.join(' ')} }`, { name: NAME }));
}

/** Opens an event stream with large events after a cursor, and reads nothing of it. */
function subscribe(after: string): Promise<IncomingMessage> {
  const names = range(ALIASES).map((index) => `n${index}: name`);
  const query = `subscription ($after: String) {
    stockChanged(after: $after) { stock { id ${names.join(' ')} } }
  }`;
  const headers = { accept: 'text/event-stream', 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(`${system().gateway.url}/graphql`, { method: 'POST', headers }, (got) => {
      got.pause();
      resolve(got);
    });
    sent.once('error', reject);
    sent.end(JSON.stringify({ query, variables: { after } }));
  });
}

test('a client that replays large events slowly receives all of them, and the gateway holds few', async () => {
  const { stockCursor: after } = await dataOf(system().graph('{ stockCursor }'));
  for (let first = 0; first < STOCKS; first += STOCKS_PER_REQUEST) await addStocks(first);
  const response = await subscribe(String(after));
  const ids: string[] = [];
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const id = /"stock":\{"id":"(\d+)"/.exec(message)?.[1];
      if (id !== undefined) ids.push(id);
    }
  });
  response.pause();
  const pauses = () => gatewayMetric(system(), 'gateway_live_pauses_total');
  await eventually(pauses, (count) => count > 0, { until: 'the catch-up is paused' });
  const queued = await gatewayMetric(system(), 'gateway_memory_bytes\\{kind="queues"[^}]*\\}');
  expect(queued).toBeLessThan(QUEUE_BYTES);
  response.resume();
  await eventually(
    () => ids.length,
    (count) => count >= STOCKS,
    { until: 'all changes are read', within: 60_000 },
  );
  response.destroy();
  expect(ids).toEqual(range(STOCKS).map(String));
  expect(await gatewayMetric(system(), 'gateway_live_lagged_total')).toBe(0);
});
