#!/usr/bin/env node
/**
 * Bundles the service in this folder: `src/main.ts`, `src/cli.ts` if it exists, and their imports
 * become a few files in `dist/`.
 * It reads the sources of this repository's packages, so that it need not wait for their builds: in
 * turbo.json, the task `sources` stands for them. Without a bundle, finding and reading the
 * libraries' 1,900 files took two fifths of the CPU time of a start.
 *
 * In a bundle, each use of a name that an ES module imports from a CommonJS module calls a getter.
 * Without a bundle, Node reads such a name only once. Avoid such imports on a hot path: the getter
 * took 5 % of the gateway's CPU time for a query of a list.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { namesOnce } from './src/names-once.js';
import { oneLimiter } from './src/one-limiter.js';
import { wasmFiles } from './src/wasm-files.js';

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts', 'src/cli.ts'].filter((path) => existsSync(path)),
  outdir: 'dist',
  bundle: true,
  // Dynamic imports, such as tracing, become separate files.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Bundles the sources of this repository's packages.
  conditions: ['source'],
  external: [
    // kafkajs is not bundled, because packages/kafka patches its modules and finds them by their
    // paths.
    'kafkajs',
    // Optional dependencies of pg and ws, which are not installed.
    'pg-native',
    'bufferutil',
    'utf-8-validate',
  ],
  plugins: [namesOnce('graphql'), oneLimiter, wasmFiles],
  // Use the npm package, because Node prints a deprecation warning if code outside node_modules
  // imports Node's own punycode.
  alias: { punycode: fileURLToPath(import.meta.resolve('punycode/')) },
  // CommonJS libraries call require() for Node's modules, so the bundle must define require().
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  sourcemap: true,
  sourcesContent: false,
  // This option removes comments. They are a third of the bundle's text, and their non-ASCII
  // characters would double the text's size in memory.
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'linked',
  logLevel: 'warning',
});
