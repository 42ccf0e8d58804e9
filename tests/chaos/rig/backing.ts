import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startKafka, startPostgres } from '@gudang/embedded';
import { startWatchdog } from '@gudang/embedded/testing';
import { migrate } from '@gudang/prisma';
import { kafkaFrames, rawChunks } from '@gudang/testing/proxy/frames';
import { startTcpProxy, type TcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import {
  type RestartableServer,
  startRestartableServer,
} from '@gudang/testing/system/restartable-server';
import { createSmallDisk, type SmallDisk } from './small-disk.ts';

export type Side = 'order' | 'stock';
export const SIDES: readonly Side[] = ['order', 'stock'];

/**
 * One PostgreSQL per service, one Kafka, and a proxy for each connection from a service to them.
 */
export interface Backing {
  readonly kafka: RestartableServer & { readonly proxies: Readonly<Record<Side, TcpProxy>> };
  readonly postgres: Readonly<Record<Side, PostgresServer>>;
  /** Address of the broker itself, without a proxy. */
  readonly brokers: string;
  /** Folder of pid files. If the test process is killed, a watchdog kills the processes listed there. */
  readonly directory: string;
  readonly stop: () => Promise<void>;
}

export interface PostgresServer extends RestartableServer {
  readonly proxy: TcpProxy;
  readonly disk: SmallDisk;
  readonly logFile: string;
  /** Database URL that bypasses the proxy. */
  readonly url: string;
  /** Database URL that leads through the proxy. */
  readonly proxiedUrl: string;
}

/** fsync is off, because the data must survive SIGKILL but need not survive a power failure. */
const POSTGRES = { fsync: 'off', full_page_writes: 'off', max_wal_size: '64MB' };

export async function startBacking(): Promise<Backing> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-chaos-'));
  const watchdog = startWatchdog(directory);
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(stops.map((one) => one()));
    await watchdog.stop();
    await rm(directory, { recursive: true, force: true });
  };

  const postgresOf = async (side: Side): Promise<PostgresServer> => {
    const disk = await createSmallDisk(join(directory, `${side}-disk`));
    const port = await freePort();
    const logFile = join(directory, `${side}-postgres.log`);
    const server = await startRestartableServer(() =>
      startPostgres({ directory: disk.directory, port, logFile, settings: POSTGRES }),
    );
    const proxy = await startTcpProxy({ port, split: rawChunks });
    const urlAt = (at: number) => `postgresql://postgres@127.0.0.1:${at}/${side}_db`;
    stops.push(async () => {
      await proxy.stop();
      await server.stop();
      await disk.stop();
    });
    await migrate({ database: side, url: urlAt(port) });
    return { ...server, proxy, disk, logFile, url: urlAt(port), proxiedUrl: urlAt(proxy.port) };
  };

  const startBroker = async () => {
    const port = await freePort();
    const listeners = await Promise.all(
      SIDES.map(async () => ({ port: await freePort(), advertisedPort: await freePort() })),
    );
    const server = await startRestartableServer(() =>
      startKafka({ directory: join(directory, 'kafka'), port, proxied: listeners }),
    );
    const [order, stock] = await Promise.all(
      listeners.map((listener) =>
        startTcpProxy({
          port: listener.port,
          listen: listener.advertisedPort,
          split: kafkaFrames,
        }),
      ),
    );
    if (!order || !stock) throw new Error('A Kafka proxy is missing');
    stops.push(async () => {
      await Promise.all([order.stop(), stock.stop(), server.stop()]);
    });
    return { kafka: { ...server, proxies: { order, stock } }, brokers: `127.0.0.1:${port}` };
  };

  const starting = [postgresOf('order'), postgresOf('stock'), startBroker()] as const;
  try {
    const [order, stock, broker] = await Promise.all(starting);
    return { ...broker, postgres: { order, stock }, directory, stop };
  } catch (error) {
    await Promise.allSettled(starting);
    await stop();
    throw error;
  }
}
