import type {} from '@gudang/embedded/vitest-setup';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { type System, type SystemOptions, startSystem } from './system.ts';

/**
 * Starts one system for all tests of a file. A failed test prints the last output of all processes.
 * @returns a getter for use inside tests and hooks
 */
export function useSystem(options: Partial<SystemOptions> = {}): () => System {
  let system: System | undefined;

  beforeAll(async () => {
    system = await startSystem({
      postgresUrl: inject('postgresUrl'),
      kafkaBrokers: inject('kafkaBrokers'),
      ...options,
    });
  });
  afterEach(({ task }) => {
    if (task.result?.state !== 'fail' || !system) return;
    process.stderr.write(`\nOutput of the processes during "${task.name}":\n${system.logs()}\n`);
  });
  afterAll(() => system?.stop());

  return () => {
    if (!system)
      throw new Error('The system is not started yet: call this inside a test or a hook');
    return system;
  };
}
