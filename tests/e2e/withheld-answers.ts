import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can withhold the answers of a server, while it forwards the requests. */
export interface WithheldAnswers {
  /** URL of the proxy, with the path of the server's URL. */
  readonly url: string;
  /** Withholds all further answers until `release`. */
  readonly withhold: () => void;
  /** Closes the connections whose answers were withheld, and forwards the answers of new ones. */
  readonly release: () => void;
  readonly stop: () => Promise<void>;
}

/** @param address the server's URL */
export async function startWithheldAnswers(address: string): Promise<WithheldAnswers> {
  const { hostname, port, pathname } = new URL(address);
  const sockets = new Set<Socket>();
  let isWithheld = false;
  const closeAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    const target = connect(Number(port), hostname);
    client.on('data', (data) => target.write(data));
    target.on('data', (data) => {
      if (!isWithheld) client.write(data);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    // A client whose answer is withheld must not learn that the server is gone.
    target.on('close', () => {
      sockets.delete(target);
      if (!isWithheld) client.destroy();
    });
    client.on('close', () => {
      sockets.delete(client);
      target.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    withhold: () => {
      isWithheld = true;
    },
    release: () => {
      isWithheld = false;
      closeAll();
    },
    stop: async () => {
      closeAll();
      server.close();
      await once(server, 'close');
    },
  };
}
