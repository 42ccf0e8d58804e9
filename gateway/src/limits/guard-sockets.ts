import type { Server } from 'node:http';
import { addressGroup, type ClientAddress, isLoopbackAddress } from '@gudang/runtime';

/** Number of connections allowed in addition to live connections, which have their own limit. */
const OTHER_CONNECTIONS = 2_000;
/**
 * Number of sockets that an address may open for each live connection of its limit. The factor
 * leaves room for the six sockets that a browser opens for pages and queries.
 */
const SOCKETS_PER_CONNECTION = 4;

/**
 * Closes connections above a limit before their first byte is read, because no other limit applies
 * to connections that never send a request.
 */
export function guardSockets(
  server: Server,
  { all, perAddress }: { all: number; perAddress: number },
  { isProxy }: Pick<ClientAddress, 'isProxy'>,
): void {
  const open = new Map<string, number>();
  const max = perAddress * SOCKETS_PER_CONNECTION;
  server.maxConnections = all + OTHER_CONNECTIONS;
  server.on('connection', (socket) => {
    const peer = socket.remoteAddress ?? '';
    if (isLoopbackAddress(peer) || isProxy(peer)) return;
    const address = addressGroup(peer);
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.once('close', () => {
      const rest = (open.get(address) ?? 1) - 1;
      if (rest > 0) open.set(address, rest);
      else open.delete(address);
    });
    if (count > max) socket.destroy();
  });
}
