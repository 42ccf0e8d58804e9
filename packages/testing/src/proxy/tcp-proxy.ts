import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@gudang/embedded';
import { rawChunks, type Splitter } from './frames.ts';
import {
  type FaultCounts,
  type FaultRules,
  openProxiedConnection,
  type ProxiedConnection,
} from './proxied-connection.ts';

export interface TcpProxyOptions {
  /** Host of the server; default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Port of the proxy; default: a free port. */
  readonly listen?: number;
  /** Splits the stream into requests for `hold` and `dropAnswers`; `kafkaFrames` for a broker. */
  readonly split?: () => Splitter;
}

export interface TcpProxy {
  readonly port: number;
  readonly counts: Readonly<FaultCounts>;
  readonly connections: () => number;
  /** Resets all connections and refuses new ones. */
  readonly cut: () => Promise<void>;
  /** Stops forwarding data. Connections stay open, and new connections are accepted. */
  readonly stall: () => void;
  /**
   * Delays requests with an API key, and all later requests of their connections, until `restore`.
   */
  readonly hold: (apiKey: number, times?: number) => void;
  /**
   * Forwards requests with an API key, but drops their responses. The client's connection is then
   * either cut, or stays open but receives nothing more.
   */
  readonly dropAnswers: (apiKey: number, then: 'cut' | 'silence', times?: number) => void;
  /** Ends all faults and sends stalled and held data. */
  readonly restore: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a TCP proxy on 127.0.0.1 that injects faults on request. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { host = '127.0.0.1', split = rawChunks } = options;
  const counts: FaultCounts = { reset: 0, stalled: 0, held: 0, dropped: 0 };
  const rules: FaultRules = { hold: undefined, drop: undefined };
  const open = new Set<ProxiedConnection>();
  const port = options.listen ?? (await freePort());
  let stalled = false;
  let server: Server | undefined;

  const accept = (client: Socket): void => {
    const connection = openProxiedConnection({
      client,
      target: { host, port: options.port },
      split,
      rules,
      counts,
      closed: () => open.delete(connection),
    });
    open.add(connection);
    if (!stalled) return;
    counts.stalled += 1;
    connection.stall();
  };

  const listen = async (): Promise<void> => {
    if (server) return;
    server = createServer(accept);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const resetAll = (): void => {
    for (const connection of [...open]) connection.reset();
    open.clear();
  };
  const refuse = async (): Promise<void> => {
    const listening = server;
    server = undefined;
    if (!listening) return;
    const closed = once(listening, 'close');
    listening.close();
    resetAll();
    await closed;
  };
  await listen();

  return {
    port: (server as unknown as { address(): AddressInfo }).address().port,
    counts,
    connections: () => open.size,
    cut: async () => {
      counts.reset += open.size;
      await refuse();
    },
    stall: () => {
      if (stalled) return;
      stalled = true;
      counts.stalled += open.size;
      for (const connection of open) connection.stall();
    },
    hold: (apiKey, times = Number.POSITIVE_INFINITY) => {
      rules.hold = { apiKey, left: times };
    },
    dropAnswers: (apiKey, then, times = Number.POSITIVE_INFINITY) => {
      rules.drop = { apiKey, then, left: times };
    },
    restore: async () => {
      rules.hold = undefined;
      rules.drop = undefined;
      stalled = false;
      for (const connection of open) connection.resume();
      await listen();
    },
    stop: refuse,
  };
}
