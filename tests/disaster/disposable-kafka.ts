import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import { startRestartableServer } from '@gudang/testing/system/restartable-server';

/** A Kafka broker that can lose all its data. */
export interface DisposableKafka {
  readonly brokers: string;
  /** Kills the broker. */
  readonly kill: () => Promise<void>;
  /** Starts an empty broker at the same address. It has no topics or groups, and a new cluster id. */
  readonly startEmpty: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export async function startDisposableKafka(): Promise<DisposableKafka> {
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
