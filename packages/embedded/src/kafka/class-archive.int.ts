import { execFile } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ClassArchive, classArchive } from './class-archive.ts';
import { findJava, type Java } from './java.ts';

const run = promisify(execFile);
const JVM = ['-XX:+UseSerialGC'];
const going = new AbortController();

let java: Java;
let libraries: string;

beforeAll(async () => {
  java = await findJava();
  libraries = await realpath(await mkdtemp(join(tmpdir(), 'gudang-archive-')));
});
afterAll(() => rm(libraries, { recursive: true }));

const look = (jvm = JVM) =>
  classArchive({ java, jvm, libraries, listFile: join(libraries, 'classes.lst') });
const archives = async () => (await readdir(libraries)).filter((name) => name.endsWith('.jsa'));

/** What a JVM says that starts as the archive tells it to. */
async function start({ use, record }: ClassArchive): Promise<string> {
  const args = [...record, ...JVM, ...use, '-cp', join(libraries, '*'), '-version'];
  return (await run(java.command, args)).stderr;
}

test('is made after the first start, and used by the next', async () => {
  const first = await look();
  expect(first.use).toEqual([]);
  await start(first);
  await first.make(going.signal);
  const [name] = await archives();
  expect(await readdir(libraries), 'nothing else is left').toEqual([name]);

  const next = await look();
  expect(next.use[0]).toContain(name);
  expect(next.record).toEqual([]);
  expect(await start(next)).toContain('sharing');
  expect((await look(['-XX:+UseParallelGC'])).use, 'of a JVM set up alike').toEqual([]);
});

test('is not used where it is not what was written', async () => {
  const [name = ''] = await archives();
  const file = join(libraries, name);
  const bytes = await readFile(file);
  bytes.fill(7, bytes.length / 2, bytes.length / 2 + 100_000);
  await writeFile(file, bytes);
  const said = await start(await look());
  expect(said).toContain(java.build.split('\n')[0]);
  expect(said).not.toContain('sharing');
});

test('is made anew where it was cut short', async () => {
  const [name = ''] = await archives();
  await truncate(join(libraries, name), 100_000);
  const again = await look();
  expect(again.use).toEqual([]);
  await start(again);
  await again.make(going.signal);
  expect(await start(await look())).toContain('sharing');
});

test('is not there when its making is broken off, and nothing is left of it', async () => {
  await Promise.all((await archives()).map((name) => rm(join(libraries, name))));
  const first = await look();
  await start(first);
  const ending = new AbortController();
  const made = first.make(ending.signal);
  ending.abort();
  await made;
  expect(await readdir(libraries)).toEqual([]);
});

test('is made by one start at a time; of one that was killed meanwhile nothing stands in the way', async () => {
  const drafts = async () => (await readdir(libraries)).filter((name) => name.endsWith('making'));
  const first = await look();
  await start(first);
  const ending = new AbortController();
  const making = first.make(ending.signal);
  const name = await vi.waitUntil(async () => (await drafts())[0], { interval: 1 });
  await first.make(going.signal);
  expect(await drafts(), 'the first is still at it').toEqual([name]);
  ending.abort();
  await making;

  const draft = join(libraries, name);
  await mkdir(draft);
  await utimes(draft, 0, 0);
  const later = await look();
  await start(later);
  await later.make(going.signal);
  expect(await drafts()).toEqual([]);
  expect(await archives()).toHaveLength(1);
});

test('is done without where it cannot be made', async () => {
  await Promise.all((await archives()).map((name) => rm(join(libraries, name))));
  const first = await look();
  await first.make(going.signal);
  expect(await readdir(libraries)).toEqual([]);
});
