import { cutReason, type Logger } from '@gudang/runtime';
import type { Server } from 'graphql-ws';
import type { WebSocket } from 'ws';

/** Interval between pings, in milliseconds. A peer that does not answer within one interval has vanished. */
const PING_EVERY_MS = 12_000;
/**
 * Maximum number of bytes that a gateway may leave unread. Each subscription has at most one unread
 * message, so only a gateway with thousands of subscriptions reaches this limit.
 */
const UNREAD_LIMIT = 64 * 1024 * 1024;
/** Close code for a peer that reads too slowly; the gateway uses the same code for its clients. */
const LAGGED = 4480;
/** Close code for binary messages (RFC 6455, 7.4.1). */
const UNSUPPORTED_DATA = 1003;
/** Close code for a defect of this process. */
const INTERNAL_ERROR = 4500;

/** A websocket that a gateway has opened. */
export interface GatewaySocket {
  /** Sends a message. Resolves when it is written, or cannot be written; never rejects. */
  readonly send: (message: string) => Promise<void>;
  /** Serves the connection with a protocol server of graphql-ws. */
  readonly serve: <E>(protocol: Server<E>, extra: E) => void;
}

/**
 * Wraps a websocket that a gateway has opened. It replaces graphql-ws's adapter for ws, which handles
 * messages after the close frame, echoes pings of any size, and leaves rejections unhandled. An exception
 * ends only this connection.
 */
export function startGatewaySocket(
  socket: WebSocket,
  log: Pick<Logger, 'debug' | 'error'>,
): GatewaySocket {
  const isOpen = (): boolean => socket.readyState === socket.OPEN;
  const close = (code = 1000, reason = ''): void => socket.close(code, cutReason(reason));
  const fail = (error: unknown): void => {
    log.error({ err: error }, 'handling a websocket failed; its connection is closed');
    close(INTERNAL_ERROR, 'Internal error');
  };
  const send: GatewaySocket['send'] = async (message) => {
    if (!isOpen()) return;
    if (socket.bufferedAmount > UNREAD_LIMIT) {
      close(LAGGED, 'Lagged: events are not read');
      return;
    }
    await new Promise<void>((resolve) => socket.send(message, () => resolve()));
  };

  let isAlive = true;
  const pings = setInterval(() => {
    if (!isAlive) socket.terminate();
    else if (isOpen()) {
      isAlive = false;
      socket.ping();
    }
  }, PING_EVERY_MS);
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('error', (error) => log.debug({ err: error }, 'a websocket failed; ws closes it'));
  socket.on('close', () => clearInterval(pings));

  return {
    send,
    serve: (protocol, extra) => {
      const closed = protocol.opened(
        {
          protocol: socket.protocol,
          send,
          close,
          // The default answer repeats the payload of the ping, which can have any size.
          onPing: () => send('{"type":"pong"}'),
          onMessage: (handle) =>
            socket.on('message', (data, isBinary) => {
              // ws still emits messages that arrive between both close frames.
              if (!isOpen()) return;
              isAlive = true;
              if (isBinary) close(UNSUPPORTED_DATA, 'Messages are text');
              else handle(String(data)).catch(fail);
            }),
        },
        extra,
      );
      socket.on('close', (code, reason) => void closed(code, String(reason)).catch(fail));
    },
  };
}
