import { randomUUID } from 'node:crypto';
import { type ReadStock, SnapshotReader } from '@gudang/testing/clients/snapshot-reader';
import { insertStocks, removeInsertedStocks } from '@gudang/testing/system/bench-system';
import type { Fault } from '../fault.ts';

const STOCKS = 60_000;
const STOCKS_SHORT = 3_000;
const CLIENTS = 3;
/** 4 Mbit/s. */
const BYTES_PER_S = 500_000;

/**
 * Slow clients read a snapshot of many stocks while the gateway and the stock services are killed and
 * orders change some of the rows. Each snapshot must end, and must have named every row once.
 */
export const slowSnapshots: Fault = {
  name: 'slow-snapshots',
  title: 'slow clients read a snapshot of 60,000 stocks; SIGKILL to the processes that send it',
  run: async ({ rig, load, random, note, breach, short }) => {
    const count = short ? STOCKS_SHORT : STOCKS;
    await insertStocks(rig, count);
    // A cursor of another epoch requests a snapshot.
    const after = Buffer.from(`1,${randomUUID()},0,0`).toString('base64url');
    const clients = Array.from(
      { length: CLIENTS },
      () => new SnapshotReader({ url: () => rig.gateway.url, after }),
    );
    const started = performance.now();
    const reading = Promise.all(clients.map((client) => client.readToEnd(BYTES_PER_S)));
    let killed = 0;
    while (killed < (short ? 1 : 6)) {
      await load.more(20);
      if (clients.every((client) => client.hasEnd)) break;
      const part = random.pick([rig.gateway, ...rig.stocks]);
      await part.restart();
      await part.ready();
      killed += 1;
    }
    await reading;
    // They were inserted without events, so the checker would miss their events.
    await removeInsertedStocks(rig);
    note(`the snapshots took ${((performance.now() - started) / 1000).toFixed(0)} s`);
    for (const [index, { markers, messages, stocks }] of clients.entries()) {
      const phases = markers.map(({ phase }) => phase).join(' ');
      if (!phases.startsWith('begin end')) breach(`client ${index} received the markers ${phases}`);
      const end = messages.findIndex((message) => 'phase' in message && message.phase === 'end');
      const rows = messages
        .slice(0, end)
        .filter((message): message is ReadStock => 'id' in message);
      const named = rows.filter(({ id, kind }) => id.startsWith('sku-') && kind === 'SNAPSHOT');
      const different = new Set(named.map(({ id }) => id)).size;
      if (named.length !== count || different !== count) {
        breach(`client ${index} received ${named.length} rows of ${different} of ${count} stocks`);
      }
      const versions = new Map<string, number>();
      for (const { id, version } of stocks) {
        const before = versions.get(id) ?? 0;
        if (version < before) breach(`client ${index}: ${id} went from ${before} to ${version}`);
        versions.set(id, version);
      }
    }
    return killed;
  },
};
