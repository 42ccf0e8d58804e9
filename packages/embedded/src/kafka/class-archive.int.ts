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
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ClassArchive, findClassArchive } from './class-archive.ts';
import { findJava, type Java } from './java.ts';

const run = promisify(execFile);
const JVM = ['-XX:+UseSerialGC'];
const running = new AbortController();

let java: Java;
let libraries: string;

beforeAll(async () => {
  java = await findJava();
  libraries = await realpath(await mkdtemp(join(tmpdir(), 'gudang-archive-')));
});
afterAll(() => rm(libraries, { recursive: true }));

const find = (jvm = JVM) =>
  findClassArchive({ java, jvm, libraries, listFile: join(libraries, 'classes.lst') });
const archives = async () => (await readdir(libraries)).filter((name) => name.endsWith('.jsa'));

/** Starts a JVM with the archive's arguments. Returns its output. */
async function start({ use, record }: ClassArchive): Promise<string> {
  const args = [...record, ...JVM, ...use, '-cp', join(libraries, '*'), '-version'];
  return (await run(java.command, args)).stderr;
}

describe('findClassArchive', () => {
  it('writes an archive after the first start and uses it in the next start', async () => {
    const first = await find();
    expect(first.use).toEqual([]);
    await start(first);
    await first.write(running.signal);
    const [name] = await archives();
    expect(await readdir(libraries), 'only the archive is left').toEqual([name]);

    const next = await find();
    expect(next.use[0]).toContain(name);
    expect(next.record).toEqual([]);
    expect(await start(next)).toContain('sharing');
    expect((await find(['-XX:+UseParallelGC'])).use, 'a JVM with other options').toEqual([]);
  });

  it('does not use a corrupt archive', async () => {
    const [name = ''] = await archives();
    const file = join(libraries, name);
    const bytes = await readFile(file);
    bytes.fill(7, bytes.length / 2, bytes.length / 2 + 100_000);
    await writeFile(file, bytes);
    const output = await start(await find());
    expect(output).toContain(java.build.split('\n')[0]);
    expect(output).not.toContain('sharing');
  });

  it('replaces a truncated archive', async () => {
    const [name = ''] = await archives();
    await truncate(join(libraries, name), 100_000);
    const again = await find();
    expect(again.use).toEqual([]);
    await start(again);
    await again.write(running.signal);
    expect(await start(await find())).toContain('sharing');
  });

  it('leaves no file after an aborted write', async () => {
    await Promise.all((await archives()).map((name) => rm(join(libraries, name))));
    const first = await find();
    await start(first);
    const ending = new AbortController();
    const written = first.write(ending.signal);
    ending.abort();
    await written;
    expect(await readdir(libraries)).toEqual([]);
  });

  it('lets only one start write an archive, and replaces an abandoned draft', async () => {
    const drafts = async () => (await readdir(libraries)).filter((name) => name.endsWith('draft'));
    const first = await find();
    await start(first);
    const ending = new AbortController();
    const writing = first.write(ending.signal);
    const name = await vi.waitUntil(async () => (await drafts())[0], { interval: 1 });
    await first.write(running.signal);
    expect(await drafts(), 'the first write is still running').toEqual([name]);
    ending.abort();
    await writing;

    const draft = join(libraries, name);
    await mkdir(draft);
    await utimes(draft, 0, 0);
    const later = await find();
    await start(later);
    await later.write(running.signal);
    expect(await drafts()).toEqual([]);
    expect(await archives()).toHaveLength(1);
  });

  it('does not reject if the archive cannot be written', async () => {
    await Promise.all((await archives()).map((name) => rm(join(libraries, name))));
    const first = await find();
    await first.write(running.signal);
    expect(await readdir(libraries)).toEqual([]);
  });
});
