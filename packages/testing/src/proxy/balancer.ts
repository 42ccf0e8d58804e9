import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Spreads connections over the replicas of one service, as a Service of Kubernetes does. */
export interface Balancer {
  /** Such as `http://127.0.0.1:54321`, without a slash at the end. */
  readonly url: string;
  /** How many connections each address got. */
  readonly taken: ReadonlyMap<string, number>;
  readonly stop: () => Promise<void>;
}

const LOOK_EVERY_MS = 100;
const LOOK_WITHIN_MS = 2_000;

/**
 * Gives each new connection to the next address that says that it is ready, and never a connection
 * to another one later: HTTP and websockets pass as they are. It repeats nothing: a connection that
 * its address refuses is cut.
 * @param addresses such as `http://127.0.0.1:54322`; one that is not among them any more gets none
 */
export async function startBalancer(addresses: () => readonly string[]): Promise<Balancer> {
  const taken = new Map<string, number>();
  const sockets = new Set<Socket>();
  const stopping = new AbortController();
  let ready: readonly string[] = [];
  let turn = 0;

  const isReady = async (address: string): Promise<boolean> => {
    const signal = AbortSignal.timeout(LOOK_WITHIN_MS);
    return fetch(`${address}/readyz`, { signal }).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status === 200;
      },
      () => false,
    );
  };
  const look = async (): Promise<void> => {
    const looked = addresses().map(async (address) => ((await isReady(address)) ? [address] : []));
    ready = (await Promise.all(looked)).flat();
  };
  const lookForEver = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look();
      await pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  const server = createServer((client) => {
    turn += 1;
    const known = new Set(addresses());
    const among = ready.filter((address) => known.has(address));
    const address = among[turn % among.length];
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
  await look();
  const looking = lookForEver();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    stop: async () => {
      stopping.abort();
      server.close();
      for (const socket of sockets) socket.destroy();
      await Promise.all([looking, once(server, 'close')]);
    },
  };
}
