import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { MessageType, type SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { Admission, AdmittedOperation } from '../../../limits/admission.ts';
import { LimitExceeded } from '../../../limits/limit-exceeded.ts';
import type { AssertNotOverloaded } from '../../../limits/overload.ts';
import type { RequestRate } from '../../../limits/request-rate.ts';
import type { LiveStreams } from '../../fanout/stream-registry.ts';
import type { OperationExecutor } from '../operation-executor.ts';
import type { MessageSocket } from './message-socket.ts';
import type { Framer } from './websocket-frames.ts';
import { createWebsocketOutlet } from './websocket-sink.ts';

/** Queries that run for one websocket before nothing more of it is read. */
const QUERIES_AT_ONCE = 32;
/** What a client leaves unread, in bytes, before nothing more of it is read. */
const UNREAD_PAUSE = 256 * 1024;

/** The operations of one websocket. */
export interface SocketOperations {
  readonly has: (id: string) => boolean;
  readonly begin: (id: string, request: SubscribePayload, context: GatewayContext) => void;
  /** The client wants no more of one. */
  readonly leave: (id: string) => void;
  readonly leaveAll: () => void;
  /** The socket takes more again. */
  readonly resume: () => void;
  /** How long nothing has run, in milliseconds. */
  readonly idleMs: () => number;
}

interface Running {
  leave: () => void;
  resume: () => void;
}

/**
 * A client that asks faster than it reads, or than answers come, is read no further meanwhile: what
 * it may cost is a bounded number of queries and of their answers.
 */
export function createSocketOperations({
  socket,
  admission,
  rate,
  assertNotOverloaded,
  address,
  maxOperations,
  execute,
  live,
  present,
  frame,
}: {
  socket: MessageSocket;
  admission: Pick<Admission, 'admit' | 'checkNesting'>;
  rate: RequestRate;
  assertNotOverloaded: AssertNotOverloaded;
  /** The client's, for what is counted by address. */
  address: string;
  /** The most that run at a time. */
  maxOperations: number;
  execute: OperationExecutor;
  live: Pick<LiveStreams, 'subscribe'>;
  present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  frame: Framer;
}): SocketOperations {
  const all = new Map<string, Running>();
  let queries = 0;
  let paused = false;
  let held: NodeJS.Timeout | undefined;
  let idleSince = performance.now();

  const send = (type: MessageType, id: string, payload?: unknown): void => {
    socket.send(JSON.stringify(payload === undefined ? { id, type } : { id, type, payload }));
  };
  const remove = (id: string): boolean => {
    const removed = all.delete(id);
    if (all.size === 0) idleSince = performance.now();
    return removed;
  };
  const pace = (): void => {
    const busy = held !== undefined || queries >= QUERIES_AT_ONCE || socket.unread() > UNREAD_PAUSE;
    if (busy === paused) return;
    paused = busy;
    if (busy) socket.pause();
    else socket.resume();
  };

  /** Reads no further for as long as it was told to wait: refusing each of a flood would cost as much as answering it. */
  const hold = (seconds: number): void => {
    held ??= setTimeout(() => {
      held = undefined;
      pace();
    }, seconds * 1000);
    pace();
  };

  /** One operation, from its request to its end. */
  const start = (id: string, context: GatewayContext, running: Running) => {
    const isRunning = (): boolean => all.get(id) === running;
    const end = (type: MessageType, payload?: unknown): void => {
      if (isRunning() && remove(id)) send(type, id, payload);
    };
    const fail = (error: unknown): void => end(MessageType.Error, present([error as GraphQLError]));

    const query = async ({ query: text, variables, operationName }: AdmittedOperation) => {
      const aborting = new AbortController();
      running.leave = () => aborting.abort();
      const asked = { query: text, variables, operationName };
      queries += 1;
      pace();
      try {
        const result = await execute(asked, { ...context, signal: aborting.signal });
        if (result.data === undefined) return end(MessageType.Error, result.errors ?? []);
        if (isRunning()) send(MessageType.Next, id, result);
        end(MessageType.Complete);
      } catch (error) {
        fail(error);
      } finally {
        queries -= 1;
        pace();
      }
    };
    const run = (request: SubscribePayload): void => {
      try {
        admission.checkNesting(request);
        const read = admission.admit(request);
        if (read.operation.operation !== 'subscription') {
          assertNotOverloaded();
          return void query(read);
        }
        const { variables } = read;
        const { identity } = context;
        const outlet = createWebsocketOutlet({ id, socket, frame, end });
        const subscription = live.subscribe({ read, variables, identity }, outlet);
        running.leave = () => subscription.leave();
        running.resume = () => subscription.resume();
      } catch (error) {
        fail(error);
      }
    };
    return { isRunning, fail, run };
  };

  return {
    has: (id) => all.has(id),
    begin: (id, request, context) => {
      const running: Running = { leave: () => {}, resume: () => {} };
      all.set(id, running);
      const { isRunning, fail, run } = start(id, context, running);
      if (all.size > maxOperations) {
        return fail(new LimitExceeded('operations', { actual: all.size, max: maxOperations }));
      }
      const turn = rate.take(context.identity, address);
      if (!turn) return run(request);
      turn.then(
        () => isRunning() && run(request),
        (error: unknown) => {
          fail(error);
          if (error instanceof RequestError && error.retryAfterS) hold(error.retryAfterS);
        },
      );
    },
    leave: (id) => {
      const running = all.get(id);
      remove(id);
      running?.leave();
    },
    leaveAll: () => {
      clearTimeout(held);
      const leaving = [...all.values()];
      all.clear();
      for (const running of leaving) running.leave();
    },
    resume: () => {
      pace();
      for (const running of all.values()) running.resume();
    },
    idleMs: () => (all.size > 0 ? 0 : performance.now() - idleSince),
  };
}
