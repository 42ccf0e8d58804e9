import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Distributes connections over the replicas of one service, as a Kubernetes Service does. */
export interface Balancer {
  /** For example `http://127.0.0.1:54321`, without a trailing slash. */
  readonly url: string;
  /** Number of connections per address. */
  readonly taken: ReadonlyMap<string, number>;
  readonly stop: () => Promise<void>;
}

const PROBE_EVERY_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Starts a TCP load balancer. Each new connection is forwarded to the next ready address. A
 * connection that the address refuses is closed, not retried.
 * @param addresses for example `http://127.0.0.1:54322`; an address that is no longer in the list
 *   gets no new connections
 */
export async function startBalancer(addresses: () => readonly string[]): Promise<Balancer> {
  const taken = new Map<string, number>();
  const sockets = new Set<Socket>();
  const stopping = new AbortController();
  let ready: readonly string[] = [];
  let turn = 0;

  const isReady = async (address: string): Promise<boolean> => {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    return fetch(`${address}/readyz`, { signal }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status === 200;
      },
      () => false,
    );
  };
  const probe = async (): Promise<void> => {
    const probed = addresses().map(async (address) => ((await isReady(address)) ? [address] : []));
    ready = (await Promise.all(probed)).flat();
  };
  const probeUntilStopped = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await probe();
      await pause(PROBE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  const server = createServer((client) => {
    turn += 1;
    const current = new Set(addresses());
    const candidates = ready.filter((address) => current.has(address));
    const address = candidates[turn % candidates.length];
    if (address === undefined) {
      client.destroy();
      return;
    }
    taken.set(address, (taken.get(address) ?? 0) + 1);
    const { hostname, port } = new URL(address);
    const replica = connect(Number(port), hostname);
    client.pipe(replica).pipe(client);
    for (const socket of [client, replica]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        replica.destroy();
      });
    }
  });
  await probe();
  const probing = probeUntilStopped();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    stop: async () => {
      stopping.abort();
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([probing, once(server, 'close')]);
    },
  };
}
