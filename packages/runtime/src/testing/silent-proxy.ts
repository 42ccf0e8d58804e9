import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a server, and can fall silent: connections stay open and nothing passes. */
export interface SilentProxy {
  readonly port: number;
  /** The connections that are open now say and hear nothing any more; new ones do. */
  readonly silence: () => void;
  readonly close: () => Promise<void>;
}

export async function startSilentProxy(target: {
  host: string;
  port: number;
}): Promise<SilentProxy> {
  const open = new Set<Socket>();
  const door = createServer((client) => {
    const server = connect(target);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(server).pipe(client);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  return {
    port: (door.address() as AddressInfo).port,
    silence: () => {
      for (const socket of open) {
        socket.unpipe();
        socket.pause();
      }
    },
    close: async () => {
      door.close();
      for (const socket of open) socket.destroy();
      await once(door, 'close');
    },
  };
}
