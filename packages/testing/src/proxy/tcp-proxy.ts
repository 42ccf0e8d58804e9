import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { freePort } from '@gudang/embedded';
import { asItComes, type Splitter } from './frames.ts';
import { openProxiedConnection, type ProxiedConnection } from './proxied-connection.ts';
import type { Counts, Rules } from './rules.ts';

export interface TcpProxyOptions {
  /** Where the server is. */
  readonly host?: string;
  readonly port: number;
  /** Where the proxy listens; a free port unless told otherwise. */
  readonly listen?: number;
  /** How requests are told apart, for `hold` and `dropAnswers`; `kafkaFrames` for a broker. */
  readonly split?: () => Splitter;
}

export interface TcpProxy {
  readonly port: number;
  readonly counts: Readonly<Counts>;
  readonly connections: () => number;
  /** Resets all connections and refuses new ones. */
  readonly cut: () => Promise<void>;
  /** Nothing passes any more; connections stay open and new ones are taken. */
  readonly stall: () => void;
  /** Keeps back requests of a kind, and all behind them, until restored: they are late then. */
  readonly hold: (kind: number, times?: number) => void;
  /**
   * Requests of a kind pass, their answers do not: the client's connection is cut instead, or
   * hears nothing from then on.
   */
  readonly dropAnswers: (kind: number, then: 'cut' | 'silence', times?: number) => void;
  /** As if nothing were wrong; what was stalled or held back is sent now. */
  readonly restore: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Stands between clients and a server, on 127.0.0.1, and breaks what passes when told to. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { host = '127.0.0.1', split = asItComes } = options;
  const counts: Counts = { reset: 0, stalled: 0, held: 0, dropped: 0 };
  const rules: Rules = { hold: undefined, drop: undefined };
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
    hold: (kind, times = Number.POSITIVE_INFINITY) => {
      rules.hold = { kind, left: times };
    },
    dropAnswers: (kind, then, times = Number.POSITIVE_INFINITY) => {
      rules.drop = { kind, then, left: times };
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
