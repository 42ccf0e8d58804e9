import type { TestProject } from 'vitest/node';
import { startTestServers, type TestServers } from './test-servers.ts';

interface Shared {
  servers: Promise<TestServers>;
  users: number;
}

/** Vitest loads this module once per project. The projects share only the global object. */
const SHARED = Symbol.for('@gudang/embedded/vitest-setup');
const shareable = globalThis as { [SHARED]?: Shared };

/**
 * Vitest's globalSetup. Provides `inject('postgresUrl')`, `inject('kafkaBrokers')` and `inject('kafkaData')`.
 * All projects of a run share one PostgreSQL and one Kafka.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shareable[SHARED] ??= { servers: startTestServers(), users: 0 };
  const shared = shareable[SHARED];
  shared.users += 1;
  const { postgresUrl, kafkaBrokers, kafkaData, stop } = await shared.servers;
  project.provide('postgresUrl', postgresUrl);
  project.provide('kafkaBrokers', kafkaBrokers);
  project.provide('kafkaData', kafkaData);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    delete shareable[SHARED];
    await stop();
  };
}
