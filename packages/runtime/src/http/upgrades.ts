import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logger.ts';
import { MisdirectedRequest } from './allowed-hosts.ts';
import { sendRawAnswer } from './raw-answer.ts';

/** Handles a request that asks for another protocol, such as a websocket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Serves upgrades of a server that `createHttpServer` has created. A request with a host that the server
 * does not allow is rejected. If the handler throws, only its connection is closed.
 */
export function serveUpgrades(
  app: FastifyInstance,
  handle: UpgradeHandler,
  log: Pick<Logger, 'error'>,
): void {
  app.server.on('upgrade', (request, socket, head) => {
    // Node removes its own error listener before `upgrade`. Without a listener, a connection reset would
    // end the process.
    socket.on('error', () => socket.destroy());
    try {
      if (app.allowedHosts.allows(request.headers.host)) handle(request, socket, head);
      else sendRawAnswer(socket, MISDIRECTED.statusCode, MISDIRECTED_ANSWER);
    } catch (error) {
      log.error({ err: error }, 'opening a websocket failed; its connection is closed');
      socket.destroy();
    }
  });
}

const MISDIRECTED = new MisdirectedRequest();
const MISDIRECTED_ANSWER = {
  errors: [{ message: MISDIRECTED.message, extensions: { code: 'BAD_REQUEST' } }],
};

/** Answers a handshake that ws cannot accept, instead of ws, which sends HTML without default headers. */
export function rejectHandshake({ message }: Error, socket: Duplex): void {
  sendRawAnswer(socket, 400, { errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
}

/**
 * Maximum length of a close frame's reason, in bytes of UTF-8 (RFC 6455, 5.5). ws throws if a reason is
 * longer.
 */
const REASON_BYTES = 123;

/** Truncates a close frame's reason to its maximum length, between two characters. */
export function cutReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(REASON_BYTES));
  return reason.slice(0, read);
}
