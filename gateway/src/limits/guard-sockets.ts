import type { Server } from 'node:http';
import { type ClientAddress, isLoopback } from './client-address.ts';

/** Connections without a request, beside the live ones that are counted on their own. */
const BESIDE = 2_000;
/** A browser opens six, for pages and queries, beside its live ones. */
const SOCKETS_OF_EACH = 4;

/**
 * Closes connections before anything is read of them, when there are far too many: those that never
 * send a request are seen nowhere else.
 */
export function guardSockets(
  server: Server,
  { all, perAddress }: { all: number; perAddress: number },
  { isProxy }: Pick<ClientAddress, 'isProxy'>,
): void {
  const open = new Map<string, number>();
  const most = perAddress * SOCKETS_OF_EACH;
  server.maxConnections = all + BESIDE;
  server.on('connection', (socket) => {
    const peer = socket.remoteAddress ?? '';
    if (isLoopback(peer) || isProxy(peer)) return;
    const count = (open.get(peer) ?? 0) + 1;
    open.set(peer, count);
    socket.once('close', () => {
      const rest = (open.get(peer) ?? 1) - 1;
      if (rest > 0) open.set(peer, rest);
      else open.delete(peer);
    });
    if (count > most) socket.destroy();
  });
}
