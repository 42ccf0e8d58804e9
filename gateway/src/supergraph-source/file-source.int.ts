import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHealth, createLogger, createMetrics, type Stoppable } from '@gudang/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { composeTiny } from '../testing/toy-registry.ts';
import { loadFromFile } from './file-source.ts';

const OLD = composeTiny('http://127.0.0.1:1/graphql');
const NEW = composeTiny('http://127.0.0.1:2/graphql');

let folder: string;
let file: Stoppable | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supergraph-'));
});
afterEach(async () => {
  await file?.stop();
  await rm(folder, { recursive: true });
});

/** Replaces a file by a rename: on a loaded machine, a file that is rewritten is empty for a while. */
async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function watch(path: string) {
  const health = createHealth();
  const metrics = createMetrics('test');
  const used: string[] = [];
  const refusal = { with: undefined as Error | undefined };
  const log = createLogger('gateway', 'silent');
  const source = await loadFromFile({ path, health, metrics, log, pollIntervalMs: 10 });
  file = source.start(({ sdl }) => {
    if (refusal.with) throw refusal.with;
    used.push(sdl);
  });
  const state = async () => (await health.report()).parts['supergraph'];
  const counted = async (outcome: string): Promise<number> => {
    const { body } = await metrics.render();
    const line = body.split('\n').find((one) => one.includes(`outcome="${outcome}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return { used, refusal, state, counted };
}

describe('loadFromFile', () => {
  it('loads a rewritten file', async () => {
    const path = join(folder, 'supergraph.graphql');
    await writeFile(path, OLD);
    const { used, counted } = await watch(path);
    await writeFile(path, NEW);
    await vi.waitFor(() => expect(used).toEqual([NEW]));
    await writeFile(path, OLD);
    await vi.waitFor(() => expect(used).toEqual([NEW, OLD]));
    expect(await counted('used')).toBe(2);
  });

  it('loads a file that is renamed to the path of the current file', async () => {
    const path = join(folder, 'supergraph.graphql');
    await writeFile(path, OLD);
    const { used } = await watch(path);
    await writeFile(join(folder, 'next'), NEW);
    await rename(join(folder, 'next'), path);
    await vi.waitFor(() => expect(used).toEqual([NEW]));
  });

  it('loads a file behind a changed symbolic link, as in a ConfigMap', async () => {
    for (const [version, sdl] of Object.entries({ '..1': OLD, '..2': NEW })) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'supergraph.graphql'), sdl);
    }
    const path = join(folder, 'supergraph.graphql');
    await symlink('..1', join(folder, '..data'));
    await symlink(join('..data', 'supergraph.graphql'), path);
    const { used } = await watch(path);
    await symlink('..2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await vi.waitFor(() => expect(used).toEqual([NEW]));
  });

  it.each([
    ['not GraphQL', (path: string) => replace(path, 'type {'), 'cannot be used: line 1'],
    ['not a supergraph', (path: string) => replace(path, 'type A { a: Int }'), 'cannot be'],
    ['empty', (path: string) => replace(path, ''), 'cannot be used'],
    ['missing', async (path: string) => rm(path), 'does not exist'],
  ])('rejects a file that is %s, and loads it once it is valid', async (_what, harm, reason) => {
    const path = join(folder, 'supergraph.graphql');
    await writeFile(path, OLD);
    const { used, state, counted } = await watch(path);
    expect(await state()).toEqual({ state: 'ok' });
    await harm(path);
    await vi.waitFor(async () =>
      expect(await state()).toMatchObject({
        state: 'degraded',
        reason: expect.stringContaining(reason),
      }),
    );
    expect(used).toEqual([]);
    // A file that disappears while it is read is refused twice.
    expect(await counted('refused')).toBeGreaterThan(0);
    await writeFile(path, NEW);
    await vi.waitFor(() => expect(used).toEqual([NEW]));
    expect(await state()).toEqual({ state: 'ok' });
  });

  it('reports only once why a supergraph cannot be used', async () => {
    const path = join(folder, 'supergraph.graphql');
    await writeFile(path, OLD);
    const { refusal, state, counted } = await watch(path);
    refusal.with = new Error('The subgraph items has no usable address');
    await writeFile(path, NEW);
    await vi.waitFor(async () =>
      expect(await state()).toEqual({
        state: 'degraded',
        reason: 'The subgraph items has no usable address; the previous one remains in use',
      }),
    );
    expect(await counted('refused')).toBe(1);
  });
});
