import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const packageFolder = fileURLToPath(new URL('../../packages/client', import.meta.url));

/** Limit of the client beside graphql-ws, in bytes after gzip. */
const CLIENT_BYTES = 5 * 1024;

let folder: string;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  // Inside the package, so that its imports are found.
  folder = await mkdtemp(join(packageFolder, 'node_modules/.package-'));
  const command = ['pack', '--json', '--pack-destination', folder, '--ignore-scripts'];
  const { stdout } = await run('npm', command, { cwd: packageFolder });
  const [packed] = JSON.parse(stdout);
  tarball = join(folder, packed.filename);
  files = packed.files.map(({ path }: { path: string }) => path);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles code for browsers. @returns the sizes of the first file and of all others, after gzip */
async function bundle(code: string): Promise<{ text: string; bytes: number; lazy: number }> {
  const input = join(folder, 'entry.js');
  await writeFile(input, code);
  const bundled = await rolldown({ input, platform: 'browser', external: ['react'] });
  const { output } = await bundled.generate({ format: 'esm', minify: true });
  await bundled.close();
  // The entry is first.
  const chunks = output.flatMap((one) => (one.type === 'chunk' ? [one] : []));
  const sizes = chunks.map((chunk) => gzipSync(chunk.code, { level: 9 }).length);
  return {
    text: chunks[0]?.code ?? '',
    bytes: sizes[0] ?? 0,
    lazy: sizes.slice(1).reduce((sum, size) => sum + size, 0),
  };
}

describe('the package of the client', () => {
  it('contains the build and its sources, and no tests', () => {
    expect(files).toContain('dist/index.js');
    expect(files).toContain('dist/index.d.ts');
    expect(files).toContain('README.md');
    expect(files.filter((path) => /\.test\.|\.int\.|testing|tsbuildinfo/.test(path))).toEqual([]);
  });

  it('has no problems that publint finds', async () => {
    const data = await readFile(tarball);
    const pack = { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) };
    const { messages } = await publint({ pack: pack as { tarball: ArrayBuffer }, strict: true });
    expect(messages).toEqual([]);
  });

  it('has types that all ESM resolutions find', async () => {
    const data = createPackageFromTarballData(new Uint8Array(await readFile(tarball)));
    const analysis = await checkPackage(data);
    if (!analysis.types) throw new Error('The package has no types');
    // The package is ESM only: CommonJS of TypeScript, and Node before `exports`, cannot import it.
    const problems = analysis.problems.filter(
      (problem) =>
        !('resolutionKind' in problem) || /node16-esm|bundler/.test(problem.resolutionKind),
    );
    expect(problems).toEqual([]);
    expect(Object.keys(analysis.entrypoints)).toEqual(
      expect.arrayContaining(['.', './react', './apollo', './urql']),
    );
  });

  it('adds at most 5 KB to graphql-ws, and loads server-sent events only when needed', async () => {
    const client = await bundle("export { createClient } from '@gudang/client'");
    const websocket = await bundle("export { createClient } from 'graphql-ws/client'");
    expect(client.bytes - websocket.bytes).toBeLessThanOrEqual(CLIENT_BYTES);
    expect(client.text).not.toContain('text/event-stream');
    expect(client.lazy).toBeGreaterThan(0);
  });

  it('can be tree-shaken', async () => {
    const nothing = await bundle("import '@gudang/client'");
    const error = await bundle("export { ClientError } from '@gudang/client'");
    const client = await bundle("export { createClient } from '@gudang/client'");
    const list = await bundle("export { createClient, liveList } from '@gudang/client'");
    expect(nothing.text.trim()).toBe('');
    expect(error.text).not.toContain('graphql-transport-ws');
    expect(error.bytes).toBeLessThan(400);
    expect(list.bytes - client.bytes).toBeGreaterThan(1_000);
  });
});
