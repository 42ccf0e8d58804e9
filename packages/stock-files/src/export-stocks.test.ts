import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportStocks } from './export-stocks.ts';
import { createGraphClient } from './graph-client.ts';
import { importFile } from './import/import-file.ts';
import { type Behavior, type ModelGateway, startModelGateway } from './testing/model-gateway.ts';

let folder: string;
let gateway: ModelGateway;
let behaviors: Behavior[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-files-'));
  behaviors = [];
  gateway = await startModelGateway(() => behaviors.shift() ?? 'answer');
});
afterEach(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

const progress = { print: () => {}, update: () => {} };
const clientOf = () => createGraphClient({ url: gateway.url, token: undefined, giveUpMs: 0 });
const exportTo = (file: string) =>
  exportStocks(
    { verb: 'export', file, format: 'csv' },
    { client: clientOf(), progress, stdout: process.stdout },
  );
const importFrom = (file: string) =>
  importFile(
    { verb: 'import', file, mode: 'create', format: 'csv', batch: 2, newRun: true, run: undefined },
    { client: clientOf(), progress, keptDays: 30 },
  );

describe('exportStocks', () => {
  it('writes all pages, and an import of the file restores the stocks', async () => {
    const source = join(folder, 'in.csv');
    await writeFile(source, 'id,name,quantity\na,"A ""1""",1\nb," B, ",2\nc,C,3\n');
    await importFrom(source);
    const file = join(folder, 'out.csv');
    expect(await exportTo(file)).toBe(3);
    const before = [...gateway.stocks];
    await gateway.close();
    gateway = await startModelGateway();
    await importFrom(file);
    expect([...gateway.stocks]).toEqual(before);
  });

  it('keeps the earlier file if the gateway becomes unavailable', async () => {
    await importFrom(await stocks());
    const file = join(folder, 'out.csv');
    await writeFile(file, 'earlier');
    behaviors = ['answer', 'close'];
    await expect(exportTo(file)).rejects.toThrow('is unavailable');
    expect(await readFile(file, 'utf8')).toBe('earlier');
    expect(await readdir(folder)).not.toContain('out.csv.part');
  });

  it('names the problem of a file that cannot be written', async () => {
    await expect(exportTo(join(folder, 'missing', 'out.csv'))).rejects.toThrow(
      /out.csv cannot be written: ENOENT/,
    );
  });
});

async function stocks(): Promise<string> {
  const file = join(folder, 'stocks.csv');
  await writeFile(file, 'id,name,quantity\na,A,1\nb,B,2\nc,C,3\n');
  return file;
}
