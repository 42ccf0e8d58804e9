import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runReset } from './run-reset.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-reset-'));
  vi.stubEnv('GUDANG_DIR', directory);
  for (const file of [
    'postgres/data/PG_VERSION',
    'postgres/data.tmp-ab12cd/base',
    'kafka/data/meta.properties',
    'kafka/formatted',
    'kafka/cluster-id',
    'kafka/lib-4.1.1/kafka.jar',
    'deleted-ab12cd/0',
    'logs/order.log',
    'notes.txt',
  ]) {
    await mkdir(join(directory, file, '..'), { recursive: true });
    await writeFile(join(directory, file), '');
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the command in a terminal in which the user types the answer; without a terminal if it is undefined. */
async function reset({ words = [] as string[], typed }: { words?: string[]; typed?: string }) {
  const input = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  input.end(typed ?? '');
  let printed = '';
  const output = new PassThrough().on('data', (text: Buffer) => {
    printed += text;
  });
  await runReset(words, { input, output } as never);
  return printed;
}

const files = async (): Promise<string[]> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
const KEPT = ['kafka/lib-4.1.1/kafka.jar', 'logs/order.log', 'notes.txt', 'run/start.pid'];

describe('runReset', () => {
  it('deletes the data and keeps Kafka’s jars, the logs and all other files', async () => {
    expect(await reset({ words: ['--yes'] })).toMatch(/^Deleted\./);
    expect(await files()).toEqual(KEPT);
    expect(await reset({ words: ['--yes'] })).toBe(`There is no data in ${directory}.\n`);
  });

  it.each(['y\n', 'YES\n', ' yes \n'])('deletes the data after the answer %j', async (typed) => {
    expect(await reset({ typed })).toMatch(/Continue\? \[y\/N\] Deleted\./);
    expect(await files()).toEqual(KEPT);
  });

  it.each(['\n', 'n\n', 'yep\n', ''])('deletes nothing after the answer %j', async (typed) => {
    const before = await files();
    expect(await reset({ typed })).toMatch(/Nothing was deleted\.\n$/);
    expect(await files()).toEqual([...before, 'run/start.pid'].sort());
  });

  it('asks for --yes if there is no terminal', async () => {
    const before = await files();
    await expect(reset({})).rejects.toThrow('npm run reset -- --yes');
    expect(await files()).toEqual(before);
  });

  it('rejects an unknown option with the usage', async () => {
    await expect(reset({ words: ['--force'] })).rejects.toThrow(
      /--force.*\n(.*\n)*Usage: npm run reset/,
    );
  });

  it('refuses to delete the data of a running system', async () => {
    const words = ['-e', 'process.stdin.resume()', 'dist/start.js'];
    const start = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'inherit'] });
    onTestFinished(() => void start.kill());
    await once(start, 'spawn');
    await mkdir(join(directory, 'run'));
    await writeFile(join(directory, 'run/start.pid'), `${start.pid}\ndist/start.js\n`);
    await expect(reset({ words: ['--yes'] })).rejects.toThrow(
      `Gudang is already running in this directory (process ${start.pid})`,
    );
    expect(existsSync(join(directory, 'postgres/data'))).toBe(true);
  });
});
