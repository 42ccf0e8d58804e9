import { createShopClient } from '@gudang/testing/clients/shop-client';
import { SnapshotReader } from '@gudang/testing/clients/snapshot-reader';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, expect, test } from 'vitest';
import { copyDatabase, type DatabaseBackup } from './database-backup.ts';

const system = useSystem();
let backup: DatabaseBackup | undefined;
afterAll(() => backup?.drop());

test('live clients forget a stock that a restored database does not contain', async () => {
  const shop = createShopClient(system().graph);
  await shop.addStock({ id: 'kept', quantity: 5 });
  const { databaseUrls, gateway, stock } = system();
  backup = await copyDatabase({ database: 'stock', url: databaseUrls.stock, part: stock });
  const after = await shop.stockCursor();
  const url = () => gateway.url;
  const all = new SnapshotReader({ url, after });
  const named = new SnapshotReader({ url, after, ids: ['kept', 'lost'] });
  const readers = [all, named];
  await Promise.all(readers.map((reader) => reader.connect()));
  await shop.addStock({ id: 'lost', quantity: 5 });
  for (let change = 0; change < 3; change += 1) {
    await shop.createOrder({ productId: 'kept', quantity: 1 });
  }
  for (const reader of readers) {
    const has = (id: string, version: number): boolean =>
      reader.stocks.some((one) => one.id === id && one.version === version);
    await reader.read('the newer changes arrive', () => has('lost', 1) && has('kept', 4));
    reader.messages.length = 0;
  }
  // The stream has a cursor after its last change, so it continues there after the restart.
  await eventually(
    () => system().databases.stock('SELECT FROM outbox'),
    (rows) => rows.length === 0,
    { until: 'the outbox is empty' },
  );

  await stock.stop();
  await backup.restore();
  await stock.restart();
  await stock.ready();
  for (const reader of readers) {
    await reader.read('a snapshot arrives', () => reader.hasEnd);
    reader.leave();
  }
  const begin = { phase: 'begin', complete: true, reset: true };
  const end = { phase: 'end', complete: true, reset: false };
  const kept = { kind: 'SNAPSHOT', id: 'kept', version: 1 };
  // The marker tells this client to drop what was not named.
  expect(all.messages.slice(0, 3)).toEqual([begin, kept, end]);
  const deleted = { kind: 'DELETED', id: 'lost', version: 0 };
  expect(named.messages.slice(0, 4)).toEqual([begin, kept, deleted, end]);
});
