import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Time-out of clients that read nothing of their answer, in milliseconds. */
const UNREAD_WITHIN_MS = 30_000;

/**
 * Closes connections whose client has read nothing of an answer for a time. A client that reads slowly
 * may take as long as it needs: Node restarts the time whenever the client has read a part.
 * @param withinMs default: 30 seconds
 */
export function closeUnread(server: Server, withinMs = UNREAD_WITHIN_MS): void {
  // Unlike `server.setTimeout`, this leaves no timer on upgraded sockets. Even a stopped one is read at
  // each write, which took 3 % of the CPU of a delivery.
  server.prependListener('request', ({ socket }) => void socket.setTimeout(withinMs));
  server.on('timeout', (socket: Socket) => {
    // Node has set another time-out if it is the end of an idle connection's lifetime.
    const waitsForAnswer = socket.timeout === withinMs && socket.writableLength === 0;
    if (waitsForAnswer) socket.setTimeout(withinMs);
    else socket.destroy();
  });
}

/**
 * Allows a client to read nothing for a longer time, because its answer is a stream with an own time-out.
 * @returns a function that ends the permission; call it before the end of the stream is written
 */
export function allowUnread(socket: Socket): () => void {
  const { timeout = 0 } = socket;
  socket.setTimeout(0);
  return () => void socket.setTimeout(timeout);
}
