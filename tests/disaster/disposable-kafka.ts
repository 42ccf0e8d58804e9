import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import { startRestartableServer } from '@gudang/testing/system/restartable-server';

/** A Kafka that can lose everything. */
export interface KafkaToLose {
  readonly brokers: string;
  /** Kills it: from now on there is none. */
  readonly kill: () => Promise<void>;
  /** Starts one with nothing in it, at the same address: no topics, no groups, another cluster. */
  readonly startEmpty: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startKafkaToLose(): Promise<KafkaToLose> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-disaster-'));
  const watchdog = startWatchdog(directory);
  const port = await freePort();
  const kafka = join(directory, 'kafka');
  const server = await startRestartableServer(() => startKafka({ directory: kafka, port }));
  return {
    brokers: `127.0.0.1:${port}`,
    kill: server.kill,
    startEmpty: async () => {
      await rm(kafka, { recursive: true, force: true, maxRetries: 5 });
      await server.start();
    },
    stop: async () => {
      await server.stop();
      await watchdog.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
