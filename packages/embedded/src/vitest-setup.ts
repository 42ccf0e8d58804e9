import type { TestProject } from 'vitest/node';
import { startTestServers } from './testing.ts';

/** Vitest's globalSetup: tests get the addresses by `inject('postgresUrl')` and `inject('kafkaBrokers')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await startTestServers();
  project.provide('postgresUrl', servers.postgresUrl);
  project.provide('kafkaBrokers', servers.kafkaBrokers);
  return servers.stop;
}
