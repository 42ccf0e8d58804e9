import { startTestServers } from '@gudang/embedded/testing';
import { eventually } from '../eventually.ts';
import { ERROR_LINE, type ServiceProcess, tail } from './service-process.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';

/**
 * Test servers run without fsync. Benchmarks enable fsync, because commits that do not wait for the
 * disk cost less than in production.
 */
const ON_DISK = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const ADDED_AT_ONCE = 10;

/**
 * Runs a benchmark on a system of its own with durable commits, and removes the system afterwards.
 * @param settings further settings of PostgreSQL
 */
export async function withBenchSystem(
  options: Partial<SystemOptions>,
  use: (system: System) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { postgresUrl, kafkaBrokers, stop } = await startTestServers({
    settings: { ...ON_DISK, ...settings },
  });
  try {
    const system = await startSystem({ postgresUrl, kafkaBrokers, ...options });
    try {
      await use(system);
    } finally {
      await system.stop();
    }
  } finally {
    await stop();
  }
}

/** Adds `count` stocks with more units than any bench orders. */
export async function addStocks({ graph }: System, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `bench-${index}`);
  const waiting = [...ids];
  const add = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const input = { id, name: 'Kopi', quantity: 1_000_000_000 };
      await eventually(
        () =>
          graph('mutation ($input: AddStockInput!) { addStock(input: $input) { id } }', { input }),
        // If the response was lost, the stock exists already.
        ({ errors = [] }) =>
          errors.every(({ extensions }) => extensions?.['code'] === 'ALREADY_EXISTS'),
        { until: `${id} is added`, within: 60_000 },
      );
    }
  };
  await Promise.all(Array.from({ length: ADDED_AT_ONCE }, add));
  return ids;
}

/**
 * Inserts stocks `sku-00000001` to `sku-<count>` with 100 units, as if they were added an hour ago, without
 * events. Stocks that exist stay unchanged.
 */
export async function insertStocks(
  { databases }: Pick<System, 'databases'>,
  count: number,
  name = 'Kopi Gayo',
): Promise<void> {
  await databases.stock(`
    WITH added AS (
      INSERT INTO stocks (id, name, quantity, created_at, updated_at)
      SELECT 'sku-' || lpad(n::text, 8, '0'), '${name}', 100,
        now() - interval '1 hour', now() - interval '1 hour'
      FROM generate_series(1, ${count}) AS n
      ON CONFLICT DO NOTHING RETURNING id
    )
    INSERT INTO movements (stock_id, version, kind, delta, quantity_after)
    SELECT id, 1, 'CREATED', 100, 100 FROM added`);
}

/** Removes the stocks that `insertStocks` inserted, which must not have changed. */
export async function removeInsertedStocks({
  databases,
}: Pick<System, 'databases'>): Promise<void> {
  await databases.stock("DELETE FROM movements WHERE stock_id LIKE 'sku-%'");
  await databases.stock("DELETE FROM stocks WHERE id LIKE 'sku-%'");
}

/** Returns the version of each stock in the database, including deleted stocks. */
export async function storedVersions({ databases }: System): Promise<Map<string, number>> {
  const rows = await databases.stock('SELECT id, version FROM stocks');
  return new Map(rows.map(({ id, version }) => [id, Number(version)]));
}

/** Returns a metric of the gateway; 0 if it does not exist. */
export async function gatewayMetric({ gateway }: System, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? ([\\d.e+-]+)`, 'm').exec(text)?.[1] ?? 0);
}

/** Returns the error and fatal log lines among a process's last 1,000 lines. */
export function errorLines(part: ServiceProcess): string[] {
  return tail(part.output(), 1_000)
    .split('\n')
    .filter((line) => ERROR_LINE.test(line));
}
