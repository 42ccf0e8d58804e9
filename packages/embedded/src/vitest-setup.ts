import type {} from 'vitest';
import type { TestProject } from 'vitest/node';
import { startTestServers } from './testing.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
    kafkaBrokers: string;
  }
}

/** Vitest's globalSetup: tests get the addresses by `inject('postgresUrl')` and `inject('kafkaBrokers')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await startTestServers();
  project.provide('postgresUrl', servers.postgresUrl);
  project.provide('kafkaBrokers', servers.kafkaBrokers);
  return servers.stop;
}
