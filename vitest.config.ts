import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './tests/vitest/longest-first.ts';

const { resolve: pathOf } = createRequire(import.meta.url);

/** Packages are tested from their sources, not from a build. */
const ssr = { resolve: { conditions: ['source', 'node'] } };
// Vite would resolve `graphql` to its ES module and load a second copy of it; Node uses this one.
const resolve = { alias: [{ find: /^graphql$/, replacement: pathOf('graphql') }] };
const exclude = ['**/node_modules/**', '**/dist/**'];

/**
 * Files share the modules of their worker, which halves the CPU: loading modules is the other half. So modules
 * must not keep state between files.
 */
const isolate = false;

/** Tests with servers mostly wait. Five workers, shared by both projects, keep two cores busy. */
const waiting = { maxWorkers: 5, sequence: { groupOrder: 1 } };

/** `expect.poll` waits long enough for a loaded machine; Vitest's default is 1 s. */
const polling = { poll: { timeout: 15_000, interval: 25 } };

/** These tests assert how many seconds `npm start` takes to recover, so they run alone at the end. */
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
          expect: polling,
          isolate,
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
          expect: polling,
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          setupFiles: './tests/vitest/wait-timeouts.ts',
          isolate,
          ...waiting,
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
          expect: polling,
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          isolate,
          ...waiting,
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
          expect: polling,
          globalSetup: './packages/embedded/src/testing/vitest-setup.ts',
          isolate,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
