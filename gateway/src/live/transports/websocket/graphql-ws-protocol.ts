import type { Identity } from '@gudang/auth';
import { CloseCode, MessageType, parseMessage } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import type { MessageSocket } from './message-socket.ts';
import { createSocketOperations } from './socket-operations.ts';
import type { SocketSession } from './socket-session.ts';

export interface GraphqlWsConnection {
  readonly onMessage: (message: string) => void;
  /** The socket takes more again. */
  readonly onReady: () => void;
  /** How long nothing has run, in milliseconds. */
  readonly idleMs: () => number;
  /** Ends all operations; to be called once the socket has closed, in whatever way. */
  readonly onClosed: () => void;
}

/** Longer ids of operations would be kept for nothing: graphql-ws makes UUIDs. */
const ID_LIMIT = 256;

/**
 * One connection of graphql-transport-ws. An own loop instead of graphql-ws's server, whose async
 * iterators cost 90–108 µs a delivery: here all clients of a stream share its serialised payload.
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export function serveGraphqlWs({
  socket,
  session,
  contextOf,
  initWithinMs,
  ...serving
}: {
  socket: MessageSocket;
  session: SocketSession;
  /** What travels with the operations of whoever it turns out to be. */
  contextOf: (identity: Identity) => GatewayContext;
  initWithinMs: number;
} & Parameters<typeof createSocketOperations>[0]): GraphqlWsConnection {
  const operations = createSocketOperations({ ...serving, socket });
  let initialised = false;
  /** Once the connection is acknowledged. */
  let context: GatewayContext | undefined;
  let closed = false;
  const initTimeout = setTimeout(() => {
    socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
  }, initWithinMs);

  const initialise = (payload: unknown): void => {
    if (initialised) {
      socket.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
      return;
    }
    clearTimeout(initTimeout);
    initialised = true;
    session.begin(payload, (identity) => {
      context = contextOf(identity);
      socket.send(JSON.stringify({ type: MessageType.ConnectionAck }));
    });
  };

  return {
    onReady: operations.resume,
    idleMs: operations.idleMs,
    onMessage: (text) => {
      if (closed) return;
      let message: ReturnType<typeof parseMessage>;
      try {
        message = parseMessage(text);
        // What is wrong with an operation is told to whoever asked for it.
        if (message.type !== MessageType.Subscribe) serving.admission.checkNesting(message);
      } catch {
        return socket.close(CloseCode.BadRequest, 'Invalid message received');
      }
      switch (message.type) {
        case MessageType.ConnectionInit:
          return initialise(message.payload);
        case MessageType.Ping:
          session.renew(message.payload);
          return socket.send(JSON.stringify(pongTo(message.payload)));
        case MessageType.Pong:
          return;
        case MessageType.Subscribe: {
          if (!context) return socket.close(CloseCode.Unauthorized, 'Unauthorized');
          if (message.id.length > ID_LIMIT) {
            return socket.close(CloseCode.BadRequest, 'Invalid message received');
          }
          if (operations.has(message.id)) {
            return socket.close(
              CloseCode.SubscriberAlreadyExists,
              `Subscriber for ${message.id} already exists`,
            );
          }
          return operations.begin(message.id, message.payload, context);
        }
        case MessageType.Complete:
          return operations.leave(message.id);
        default:
          return socket.close(CloseCode.BadRequest, 'Invalid message received');
      }
    },
    onClosed: () => {
      closed = true;
      clearTimeout(initTimeout);
      session.end();
      operations.leaveAll();
    },
  };
}

/** What a ping brought, but no token. */
function pongTo(payload: Record<string, unknown> | undefined) {
  if (!payload) return { type: MessageType.Pong };
  const { authorization: _authorization, ...echoed } = payload;
  return { type: MessageType.Pong, payload: echoed };
}
