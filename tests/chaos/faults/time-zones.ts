import { setSessionDefaults } from '@gudang/testing/system/databases';
import { UNUSUAL_SESSION_DEFAULTS } from '@gudang/testing/system/session-defaults';
import type { Fault, FaultContext } from '../fault.ts';
import { SIDES, type Side } from '../rig/backing.ts';

const ZONES = ['Asia/Jakarta', 'America/New_York'] as const;

/**
 * Gives databases and processes time zones far from UTC, and the databases unusual session defaults. Then
 * ends all sessions, so that new sessions have these defaults.
 */
export const timeZones: Fault = {
  name: 'time-zones',
  title: 'databases and processes in other time zones, with unusual session defaults',
  run: async (context) => {
    const { rig, load, random, short } = context;
    const first = random.between(0, 1);
    const zoneOf = (side: Side) => ZONES[(first + SIDES.indexOf(side)) % 2] ?? ZONES[0];
    for (const side of SIDES) {
      const defaults = { ...UNUSUAL_SESSION_DEFAULTS, TimeZone: zoneOf(side) };
      await setSessionDefaults(rig.postgres[side].url, defaults);
    }
    const restartAll = (zone: (side: Side) => string | undefined): Promise<unknown> =>
      Promise.all(
        SIDES.flatMap((side) =>
          rig.replicas(side).map(async (part) => {
            await part.stop();
            await part.restart({ TZ: zone(side) });
            await part.ready();
          }),
        ),
      );
    await restartAll((side) => zoneOf(side === 'order' ? 'stock' : 'order'));
    await load.more(short ? 30 : 150);
    const ended = await endSessions(context);
    await load.more(short ? 30 : 150);
    await compareTimes(context);
    for (const side of SIDES) {
      await rig.databases[side](
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); END $$",
      );
    }
    await restartAll(() => undefined);
    return ended;
  },
};

/** Ends the sessions of all services. Returns their number. */
async function endSessions({ rig }: FaultContext): Promise<number> {
  let ended = 0;
  for (const side of SIDES) {
    const rows = await rig.databases[side](
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name <> 'gudang-tests'`,
    );
    ended += rows.length;
  }
  return ended;
}

/** Compares the times of the last orders in responses with those in order_db. */
async function compareTimes({ rig, breach }: FaultContext): Promise<void> {
  const rows = await rig.databases.order(
    'SELECT id, created_at FROM orders ORDER BY created_at DESC LIMIT 20',
  );
  for (const { id, created_at: stored } of rows) {
    const response = await fetch(`${rig.gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: `{ order(id: "${id}") { createdAt } }` }),
    });
    const { data } = (await response.json()) as { data?: { order?: { createdAt?: string } } };
    const shown = data?.order?.createdAt;
    if (shown !== undefined && shown !== stored.toISOString()) {
      breach(`order ${id} was created at ${stored.toISOString()} but shows ${shown}`);
    }
  }
}
