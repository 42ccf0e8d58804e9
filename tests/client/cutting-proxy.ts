import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '@gudang/testing/random';

/** A TCP proxy that cuts each connection at a random byte. */
export interface CuttingProxy {
  /** For example `http://127.0.0.1:54321`, without a trailing slash. */
  readonly url: string;
  /** Number of connections that were cut. */
  readonly cuts: () => number;
  /** Cuts all connections and refuses further ones, or accepts them again. */
  readonly setOffline: (isOffline: boolean) => void;
  /** Cuts no further connection. */
  readonly calm: () => void;
  readonly stop: () => Promise<void>;
}

/** Share of the connections that are cut in what the client sends. */
const CUT_REQUESTS = 0.1;
/** Mean number of bytes that a client sends before such a cut. */
const REQUEST_BYTES = 400;

/**
 * Starts a proxy on 127.0.0.1 and a free port.
 * @param port the server's port on 127.0.0.1
 * @param meanBytes mean number of bytes that a client receives before its connection is cut
 */
export async function startCuttingProxy({
  port,
  meanBytes,
  random,
}: {
  port: number;
  meanBytes: number;
  random: Random;
}): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let cuts = 0;
  let isCalm = false;
  let isOffline = false;

  /** Forwards bytes, and calls `cut` after a random number of them. */
  const forward = (from: Socket, to: Socket, mean: number, cut: () => void): void => {
    let left = Math.ceil(-Math.log(1 - random.next()) * mean);
    from.on('data', (chunk: Buffer) => {
      const isCut = !isCalm && left < chunk.length;
      if (!to.write(isCut ? chunk.subarray(0, left) : chunk)) from.pause();
      left -= chunk.length;
      if (isCut) cut();
    });
    to.on('drain', () => from.resume());
  };

  const server = createServer((client) => {
    if (isOffline) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(port, '127.0.0.1');
    const cut = (): void => {
      if (client.destroyed) return;
      cuts += 1;
      // A reset may also discard what the client has not read yet.
      if (random.chance(0.5)) client.resetAndDestroy();
      else client.destroySoon();
      upstream.destroy();
    };
    const cutsRequest = random.chance(CUT_REQUESTS);
    forward(client, upstream, cutsRequest ? REQUEST_BYTES : Number.POSITIVE_INFINITY, cut);
    forward(upstream, client, meanBytes, cut);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroySoon();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    setOffline: (offline) => {
      isOffline = offline;
      if (!isOffline) return;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    calm: () => {
      isCalm = true;
    },
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
