import type { Identity } from '@gudang/service';
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { CloseCode, MessageType, parseMessage, type SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../context.ts';
import type { Admission } from '../limits/admission.ts';
import type { LiveStreams, LiveSubscription } from './live-streams.ts';
import type { MessageSocket } from './message-socket.ts';
import type { SocketSession } from './socket-session.ts';
import type { Framer } from './websocket-frames.ts';
import { createWebsocketOutlet } from './websocket-outlet.ts';

/** Runs a query or mutation; request errors come without `data`. */
export type OperationExecutor = (
  request: SubscribePayload,
  context: GatewayContext,
) => Promise<FormattedExecutionResult>;

export interface GraphqlWsConnection {
  readonly onMessage: (message: string) => void;
  /** The socket takes more again. */
  readonly onReady: () => void;
  /** Ends all operations; to be called once the socket has closed, in whatever way. */
  readonly onClosed: () => void;
}

const NOTHING: LiveSubscription = { leave: () => {}, resume: () => {} };

/**
 * One connection of graphql-transport-ws. An own loop instead of graphql-ws's server, whose async
 * iterators cost 90–108 µs a delivery: here all clients of a stream share its serialised payload.
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */
export function serveGraphqlWs({
  socket,
  session,
  contextOf,
  admission,
  execute,
  live,
  present,
  frame,
  initWithinMs,
}: {
  socket: MessageSocket;
  session: SocketSession;
  /** What travels with the operations of whoever it turns out to be. */
  contextOf: (identity: Identity) => GatewayContext;
  admission: Pick<Admission, 'admit'>;
  execute: OperationExecutor;
  live: Pick<LiveStreams, 'subscribe'>;
  present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  frame: Framer;
  initWithinMs: number;
}): GraphqlWsConnection {
  const operations = new Map<string, LiveSubscription>();
  let initialised = false;
  /** Once the connection is acknowledged. */
  let context: GatewayContext | undefined;
  let closed = false;
  const initTimeout = setTimeout(() => {
    socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
  }, initWithinMs);

  const send = (type: MessageType, id: string, payload?: unknown): void => {
    socket.send(JSON.stringify(payload === undefined ? { id, type } : { id, type, payload }));
  };

  const begin = (id: string, request: SubscribePayload, context: GatewayContext): void => {
    let subscription = NOTHING;
    const operation: LiveSubscription = {
      leave: () => subscription.leave(),
      resume: () => subscription.resume(),
    };
    operations.set(id, operation);
    const running = (): boolean => operations.get(id) === operation;
    const end = (type: MessageType, payload?: unknown): void => {
      if (running() && operations.delete(id)) send(type, id, payload);
    };
    const fail = (errors: readonly GraphQLFormattedError[]): void => end(MessageType.Error, errors);

    let asked: SubscribePayload;
    try {
      const read = admission.admit(request);
      const { query, variables, operationName } = read;
      asked = { query, variables, operationName };
      if (read.operation.operation === 'subscription') {
        subscription = live.subscribe(
          { read, variables, identity: context.identity },
          createWebsocketOutlet({ id, socket, frame, end }),
        );
        return;
      }
    } catch (error) {
      fail(present([error as GraphQLError]));
      return;
    }
    execute(asked, context).then(
      (result) => {
        if (result.data === undefined) return fail(result.errors ?? []);
        if (running()) send(MessageType.Next, id, result);
        end(MessageType.Complete);
      },
      (error: unknown) => fail(present([error as GraphQLError])),
    );
  };

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
    onReady: () => {
      for (const operation of operations.values()) operation.resume();
    },
    onMessage: (text) => {
      if (closed) return;
      let message: ReturnType<typeof parseMessage>;
      try {
        message = parseMessage(text);
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
          if (operations.has(message.id)) {
            return socket.close(
              CloseCode.SubscriberAlreadyExists,
              `Subscriber for ${message.id} already exists`.slice(0, 120),
            );
          }
          return begin(message.id, message.payload, context);
        }
        case MessageType.Complete: {
          const operation = operations.get(message.id);
          operations.delete(message.id);
          return operation?.leave();
        }
        default:
          return socket.close(CloseCode.BadRequest, 'Invalid message received');
      }
    },
    onClosed: () => {
      closed = true;
      clearTimeout(initTimeout);
      session.end();
      const leaving = [...operations.values()];
      operations.clear();
      for (const operation of leaving) operation.leave();
    },
  };
}

/** What a ping brought, but no token. */
function pongTo(payload: Record<string, unknown> | undefined) {
  if (!payload) return { type: MessageType.Pong };
  const { authorization: _authorization, ...echoed } = payload;
  return { type: MessageType.Pong, payload: echoed };
}
