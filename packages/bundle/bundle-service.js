#!/usr/bin/env node
/**
 * Makes `dist/` of the service in this folder: `src/main.ts` with all that it imports in a few files.
 * Finding and reading the 1,900 files of its libraries was two fifths of a start's CPU.
 *
 * What ES modules import by name from CommonJS ones they read through a getter each time they use it
 * here, and not once as in Node: in a loop over values it shows (5% of a list's CPU in the gateway).
 */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  // What is imported only when it is needed, such as tracing, stays apart.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Of this repository's packages the sources.
  conditions: ['source'],
  external: [
    // Its faults are mended in its own modules, which are looked up by their paths.
    'kafkajs',
    // pg and ws look for these, and do without.
    'pg-native',
    'bufferutil',
    'utf-8-validate',
  ],
  // Node's own is deprecated, and says so where it is required outside node_modules.
  alias: { punycode: fileURLToPath(import.meta.resolve('punycode/')) },
  // Libraries that are CommonJS require Node's own modules.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  sourcemap: true,
  sourcesContent: false,
  // Comments are a third of the text, and those that are no ASCII would double what it takes in memory.
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: 'linked',
  logLevel: 'warning',
});
