import type { TestProject } from 'vitest/node';
import { startTestServers, type TestServers } from './test-servers.ts';

interface Shared {
  servers: Promise<TestServers>;
  users: number;
}

/** Vitest gives each of its projects a copy of this module; only the global object is the same for all. */
const SHARED = Symbol.for('@gudang/embedded/vitest-setup');
const everywhere = globalThis as { [SHARED]?: Shared };

/**
 * Vitest's globalSetup: tests get the addresses by `inject('postgresUrl')` and `inject('kafkaBrokers')`. All projects
 * of a run share one PostgreSQL and one Kafka.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  everywhere[SHARED] ??= { servers: startTestServers(), users: 0 };
  const shared = everywhere[SHARED];
  shared.users += 1;
  const { postgresUrl, kafkaBrokers, stop } = await shared.servers;
  project.provide('postgresUrl', postgresUrl);
  project.provide('kafkaBrokers', kafkaBrokers);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete everywhere[SHARED];
    await stop();
  };
}
