import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeptCopy, type Publication } from './kept-copy.ts';
import { findVolatileFileSystem } from './volatile-folder.ts';

const ADDRESS = 'https://registry.example/supergraph.graphql';
const SHARED_MEMORY = '/dev/shm';

let folder: string;
let warned: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-copy-'));
  warned = [];
});
afterEach(() => rm(folder, { recursive: true }));

const log = { warn: (...args: readonly unknown[]) => void warned.push(String(args[1])) };
const copyIn = (place: string) => createKeptCopy(place, [ADDRESS], log);
const publication = (sdl: string): Publication => ({ sdl, from: ADDRESS });

describe('gateways that share a folder', () => {
  it('all save their supergraph, and leave one complete copy', async () => {
    const texts = Array.from({ length: 8 }, (_, index) => `text ${index} `.repeat(20_000));
    await Promise.all(texts.map((sdl) => copyIn(folder).save(publication(sdl))));
    expect(warned.filter((line) => line.includes('cannot be saved'))).toEqual([]);
    expect(texts).toContain((await copyIn(folder).read())?.sdl);
    expect(await readdir(folder)).toHaveLength(1);
  });
});

describe.skipIf(!existsSync(SHARED_MEMORY))('a folder that is lost with its container', () => {
  let volatile: string;
  beforeEach(async () => {
    volatile = await mkdtemp(join(SHARED_MEMORY, 'kept-copy-'));
  });
  afterEach(() => rm(volatile, { recursive: true }));

  it('is reported once per start, also if the copy is already there', async () => {
    for (let start = 1; start <= 2; start += 1) {
      const copy = copyIn(volatile);
      await copy.read();
      await copy.save(publication('type Query'));
      await copy.save(publication('type Query'));
      expect(warned).toHaveLength(start);
    }
    expect(warned[0]).toContain('lost with this container');
    expect(await copyIn(volatile).read()).toMatchObject({ sdl: 'type Query' });
  });

  it('is recognized by its file system', async () => {
    expect(await findVolatileFileSystem(volatile)).toBe('tmpfs');
    expect(await findVolatileFileSystem(join(volatile, 'none'))).toBeUndefined();
  });
});
