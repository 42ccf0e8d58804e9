import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/vitest/longest-first.ts';

const { resolve: pathOf } = createRequire(import.meta.url);

/** Packages are tested from their sources, not from what a build left behind. */
const ssr = { resolve: { conditions: ['source', 'node'] } };
// As Node finds it: Vite would take its other entry and load a second copy of it.
const resolve = { alias: [{ find: /^graphql$/, replacement: pathOf('graphql') }] };
// Where files share a worker's modules (isolate: false) they take half the CPU: loading them is the
// rest. What they stand on keeps no state of its own but in what a test makes and stops.
const exclude = ['**/node_modules/**', '**/dist/**'];

// They wait more than they work: so many at a time, of both projects together, keep two cores busy.
const WAITING = { maxWorkers: 4, sequence: { groupOrder: 1 } };

// In how many seconds the whole of `npm start` heals is promised of a machine that has nothing else to
// do: when all others are through.
const TIMED = ['tests/e2e/start.e2e.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './tests/vitest/closing-line-reporter.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['**/src/**/*.test.ts', '{tests,bench}/**/*.test.ts'],
          exclude,
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: ['**/src/**/*.int.ts'],
          exclude,
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          setupFiles: './tests/vitest/wait-timeouts.ts',
          isolate: false,
          ...WAITING,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'system',
          include: ['{tests,bench}/**/*.e2e.ts'],
          exclude: [...exclude, ...TIMED],
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          isolate: false,
          ...WAITING,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'timed',
          include: TIMED,
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
