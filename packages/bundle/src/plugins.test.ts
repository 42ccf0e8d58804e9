import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import { namesOnce } from './names-once.js';
import { oneLimiter } from './one-limiter.js';
import { wasmFiles } from './wasm-files.js';

const folder = await mkdtemp(join(tmpdir(), 'gudang-bundle-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles a module as the services are bundled. @returns the bundle's text, and its exports */
async function bundle(name: string, contents: string, plugins: Plugin[]) {
  const outfile = join(folder, `${name}.mjs`);
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    plugins,
    write: false,
  });
  for (const { path, contents: bytes } of outputFiles) await writeFile(path, bytes);
  const text = outputFiles.at(-1)?.text ?? '';
  return { text, exports: await import(pathToFileURL(outfile).href) };
}

const GRAPHQL = `
  import { GraphQLError, parse } from 'graphql';
  import * as all from 'graphql';
  export const sameClass = GraphQLError === require('graphql').GraphQLError;
  export const kind = parse('{ a }').kind;
  export const count = Object.keys(all).length;
`;

it('lets ES modules and CommonJS modules share one graphql, without getters for each importer', async () => {
  const { text, exports } = await bundle('graphql', GRAPHQL, [namesOnce('graphql')]);
  expect(exports).toMatchObject({ sameClass: true, kind: 'Document' });
  expect(exports.count).toBeGreaterThan(200);
  expect(text).not.toContain('__toESM(require_graphql');
});

it('writes Prisma’s WebAssembly to a file, which the bundle reads when it is needed', async () => {
  const source = `
    export { wasm } from '@prisma/client/runtime/query_compiler_small_bg.postgresql.wasm-base64.mjs';`;
  const { text, exports } = await bundle('wasm', source, [wasmFiles]);
  const module = new WebAssembly.Module(Buffer.from(exports.wasm, 'base64'));
  expect(WebAssembly.Module.exports(module).length).toBeGreaterThan(0);
  expect(text.length).toBeLessThan(2_000);
  expect((await readdir(folder)).filter((file) => file.endsWith('.wasm'))).toHaveLength(1);
});

it('bundles the rate limiter that is used', async () => {
  const source = `
    import { RateLimiterMemory } from 'rate-limiter-flexible';
    const limiter = new RateLimiterMemory({ points: 1, duration: 60 });
    export const left = (await limiter.consume('a')).remainingPoints;
    export const refused = await limiter.consume('a').catch((error) => error.remainingPoints);`;
  const { text, exports } = await bundle('limiter', source, [oneLimiter]);
  expect(exports).toMatchObject({ left: 0, refused: 0 });
  expect(text).not.toContain('Mongo');
});
