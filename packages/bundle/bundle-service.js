#!/usr/bin/env node
/**
 * Bundles the service in this folder: `src/main.ts` and its imports become a few files in `dist/`.
 * Finding and reading 1,900 files of libraries took two fifths of the CPU of a start.
 *
 * In a bundle, a name that an ES module imports from a CommonJS module is read through a getter at each
 * use, not once as in Node. In a loop over values this costs: 5 % of the CPU of a list in the gateway.
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
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
    // packages/kafka patches modules of kafkajs, which it finds by their paths.
    'kafkajs',
    // Optional dependencies of pg and ws, which are not installed.
    'pg-native',
    'bufferutil',
    'utf-8-validate',
  ],
  // Node prints a deprecation warning for its own punycode outside node_modules.
  alias: { punycode: fileURLToPath(import.meta.resolve('punycode/')) },
  // CommonJS libraries call require() for Node's modules.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  sourcemap: true,
  sourcesContent: false,
  // Comments are a third of the text, and non-ASCII characters in them would double its memory.
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'linked',
  logLevel: 'warning',
});
