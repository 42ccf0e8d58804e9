import { randomUUID } from 'node:crypto';
import { SnapshotReader } from '@gudang/testing/clients/snapshot-reader';
import { eventually } from '@gudang/testing/eventually';
import { gatewayMetric, insertStocks } from '@gudang/testing/system/bench-system';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

/** Number of stocks; their rows have 24 KB each, 15 MB together. */
const STOCKS = 600;
const NAME = 'x'.repeat(255);
const NAMES = Array.from({ length: 90 }, (_, index) => `n${index}: name`).join(' ');
/** Maximum of the queues: the limit above which a catch-up waits, and some executed events. */
const QUEUE_BYTES = 1024 * 1024;
/** A cursor of another epoch, so that the stream begins with a snapshot. */
const LOST = Buffer.from(`1,${randomUUID()},0,0`).toString('base64url');

const system = useSystem();
beforeAll(() => insertStocks(system(), STOCKS, NAME));

const readerOf = (fields: string) =>
  new SnapshotReader({ url: () => system().gateway.url, fields, after: LOST });

const ids = Array.from(
  { length: STOCKS },
  (_, index) => `sku-${String(index + 1).padStart(8, '0')}`,
);

/** Expects one snapshot in which each row was named once, between its markers. */
function expectOneSnapshot({ markers, messages, stocks }: SnapshotReader): void {
  const begin = { phase: 'begin', complete: true, reset: true };
  const end = { phase: 'end', complete: true, reset: false };
  expect(markers).toEqual([begin, end]);
  expect([messages[0], messages.at(-1)]).toEqual([begin, end]);
  expect(stocks.map(({ id }) => id).sort()).toEqual(ids);
}

describe('a snapshot that is larger than all buffers', { timeout: 300_000 }, () => {
  test.each([
    ['without', ''],
    ['with', 'orders(first: 1) { nodes { id } }'],
  ])('reaches the end for a slow client, %s a field of another subgraph', async (_what, other) => {
    const reader = readerOf(`${NAMES} ${other}`);
    const pauses = () => gatewayMetric(system(), 'gateway_live_pauses_total');
    const before = await pauses();
    await reader.connect();
    await eventually(pauses, (count) => count > before, { until: 'the snapshot is paused' });
    const queued = await gatewayMetric(system(), 'gateway_memory_bytes\\{kind="queues"[^}]*\\}');
    expect(queued).toBeLessThan(QUEUE_BYTES);
    await reader.read('the snapshot ends', () => reader.hasEnd);
    reader.leave();
    expectOneSnapshot(reader);
    expect(await gatewayMetric(system(), 'gateway_live_lagged_total')).toBe(0);
  });

  test('continues after SIGKILL of the subgraph and of the gateway', async () => {
    const reader = readerOf(NAMES);
    await reader.connect();
    await reader.read('a part arrives', () => reader.stocks.length > 100);
    await system().stock.restart();
    await reader.read('more arrives', () => reader.stocks.length > 250);
    await system().gateway.restart();
    await reader.connect();
    await reader.read('the snapshot ends', () => reader.hasEnd);
    reader.leave();
    expectOneSnapshot(reader);
  });
});
