import { startTestServers } from '@gudang/embedded/testing';
import { eventually } from '../eventually.ts';
import { type Part, tail } from './part.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';

/** Tests do without what a power cut would take; figures of commits that skip the disk say little. */
const ON_DISK = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };
const ADDED_AT_ONCE = 10;

/** Runs a bench over a whole system of its own, and leaves nothing behind. */
export async function withLiveSystem(
  options: Partial<SystemOptions>,
  use: (system: System) => Promise<void>,
): Promise<void> {
  const { postgresUrl, kafkaBrokers, stop } = await startTestServers({ settings: ON_DISK });
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

/** Adds so many stocks, enough of each for whatever a bench orders. */
export async function addStocks({ graph }: System, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `bench-${index}`);
  const waiting = [...ids];
  const add = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const input = { id, name: 'Kopi', quantity: 1_000_000_000 };
      await eventually(
        () =>
          graph('mutation ($input: AddStockInput!) { addStock(input: $input) { id } }', { input }),
        // One whose answer was lost is there all the same.
        ({ errors = [] }) =>
          errors.every(({ extensions }) => extensions?.['code'] === 'ALREADY_EXISTS'),
        { until: `${id} is added`, within: 60_000 },
      );
    }
  };
  await Promise.all(Array.from({ length: ADDED_AT_ONCE }, add));
  return ids;
}

/** The version of each stock in the database, deleted ones too. */
export async function storedVersions({ databases }: System): Promise<Map<string, number>> {
  const rows = await databases.stock('SELECT id, version FROM stocks');
  return new Map(rows.map(({ id, version }) => [id, Number(version)]));
}

/** A metric of the gateway; 0 when it has none of that name. */
export async function gatewayMetric({ gateway }: System, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? ([\\d.e+-]+)`, 'm').exec(text)?.[1] ?? 0);
}

/** What a part wrote last, when it wrote that something is wrong. */
export function complaints(part: Part): string[] {
  return tail(part.output(), 1_000)
    .split('\n')
    .filter((line) => /"level":(50|60)/.test(line));
}
