import { holdSnapshot, passOutboxRows } from '@gudang/testing/system/held-snapshot';
import type { Fault } from '../fault.ts';
import { SIDES, type Side } from '../rig/backing.ts';
import type { Rig } from '../rig/rig.ts';
import { counterOf } from './probes.ts';

/** A topic that nothing consumes. */
const TOPIC = 'chaos_passed';
/** Maximum number of index entries per scan of an outbox, dead ones included. */
const ENTRIES_PER_SCAN = 50_000;
const ORDERS = 60;

/**
 * Holds a snapshot on both databases, as a backup does, while rows pass through both outboxes. The reads of
 * the relays must not pass the dead rows.
 */
export const heldSnapshot: Fault = {
  name: 'held-snapshot',
  title: 'a snapshot held on both databases while rows pass through the outboxes',
  run: async ({ rig, load, note, breach, short }) => {
    await rig.admin.createTopics({ topics: [{ topic: rig.name(TOPIC), numPartitions: 1 }] });
    const urls = SIDES.map((side) => rig.postgres[side].url);
    const snapshots = await Promise.all(urls.map((url) => holdSnapshot(url)));
    // The databases are on small disks.
    const count = short ? 100_000 : 200_000;
    try {
      await Promise.all(urls.map((url) => passOutboxRows(url, { topic: TOPIC, count })));
      const before = await Promise.all(SIDES.map((side) => scansOf(rig, side)));
      await load.more(ORDERS);
      for (const [index, side] of SIDES.entries()) {
        const { scans, entries } = await scansOf(rig, side);
        const perScan =
          (entries - (before[index]?.entries ?? 0)) / (scans - (before[index]?.scans ?? 0));
        note(`${side}: ${perScan.toFixed(0)} index entries per scan of the outbox`);
        if (perScan > ENTRIES_PER_SCAN) breach(`the outbox of ${side} is read with its dead rows`);
        const waited = await counterOf(rig.replicas(side), 'gudang_outbox_oldest_seconds', '');
        if (Number.isNaN(waited)) breach(`the outbox of ${side} is not measured`);
      }
    } finally {
      for (const snapshot of snapshots) await snapshot.release();
    }
    return count;
  },
};

/** Returns the number of scans of an outbox's index, and of the entries that they passed. */
async function scansOf(rig: Rig, side: Side): Promise<{ scans: number; entries: number }> {
  const [row] = await rig.databases[side](
    `SELECT idx_scan::float8 AS scans, idx_tup_read::float8 AS entries
     FROM pg_stat_user_indexes WHERE indexrelname = 'outbox_pkey'`,
  );
  return { scans: row?.['scans'] ?? 0, entries: row?.['entries'] ?? 0 };
}
