import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { MessageType, type SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import { LimitExceeded } from '../../../errors/limit-exceeded.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { Admission, AdmittedRequest } from '../../../limits/admission.ts';
import type { ByteAccount } from '../../../limits/byte-budget.ts';
import type { AssertNotOverloaded } from '../../../limits/overload.ts';
import type { RequestRate } from '../../../limits/request-rate.ts';
import type { RequestDeduplication } from '../../../request-pipeline/request-deduplication.ts';
import type { HttpAnswer } from '../../../request-pipeline/request-pipeline.ts';
import { readWebsocketRequest } from '../../../requests/websocket-request.ts';
import type { StreamRegistry } from '../../fanout/stream-registry.ts';
import type { MessageSocket } from './client-socket.ts';
import type { Framer } from './websocket-frames.ts';
import { WebsocketSink } from './websocket-sink.ts';

/** Number of running queries at which the gateway stops reading from a websocket. */
const MAX_QUERIES = 32;
/** Number of unread bytes above which the gateway stops reading from a client. */
const UNREAD_PAUSE = 256 * 1024;

export interface OperationsOptions {
  readonly socket: MessageSocket;
  readonly admission: Pick<Admission, 'admit' | 'assertJsonValue'>;
  readonly rate: RequestRate;
  readonly assertNotOverloaded: AssertNotOverloaded;
  /** The client's address, for limits per address. */
  readonly address: string;
  /** Maximum number of concurrent operations. */
  readonly maxOperations: number;
  /** Answers queries and mutations. */
  readonly requests: RequestDeduplication;
  readonly live: Pick<StreamRegistry, 'subscribe'>;
  readonly present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  readonly frame: Framer;
}

/** An operation from its request to its end. */
interface Running {
  readonly id: string;
  readonly context: GatewayContext;
  readonly account: ByteAccount;
  leave: () => void;
  resume: () => void;
}

/**
 * The operations of one websocket. The gateway stops reading from a client that sends queries
 * faster than the gateway answers them, or faster than the client reads the results. This bounds
 * the number of queries and results that one client keeps in memory.
 */
export class SocketOperations {
  readonly #options: OperationsOptions;
  readonly #all = new Map<string, Running>();
  #queries = 0;
  #isPaused = false;
  #held: NodeJS.Timeout | undefined;
  #idleSince = performance.now();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  begin(
    id: string,
    request: SubscribePayload,
    context: GatewayContext,
    account: ByteAccount,
  ): void {
    const { maxOperations, rate, address } = this.#options;
    const running: Running = { id, context, account, leave: () => {}, resume: () => {} };
    this.#all.set(id, running);
    if (this.#all.size > maxOperations) {
      const actual = this.#all.size;
      this.#fail(running, new LimitExceeded('operations', { actual, max: maxOperations }));
      return;
    }
    const turn = rate.take(context.identity, address);
    if (!turn) {
      this.#run(running, request);
      return;
    }
    turn.then(
      () => this.#isRunning(running) && this.#run(running, request),
      (error: unknown) => {
        this.#fail(running, error);
        if (error instanceof RequestError && error.retryAfterS) this.#hold(error.retryAfterS);
      },
    );
  }

  /** Ends an operation that its client has completed. */
  leave(id: string): void {
    const running = this.#all.get(id);
    this.#remove(id);
    running?.leave();
  }

  leaveAll(): void {
    clearTimeout(this.#held);
    const leaving = [...this.#all.values()];
    this.#all.clear();
    for (const running of leaving) running.leave();
  }

  /** Call when the socket accepts more data again. */
  resume(): void {
    this.#pace();
    for (const running of this.#all.values()) running.resume();
  }

  /** Time without a running operation, in milliseconds. */
  get idleMs(): number {
    return this.#all.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  #run(running: Running, request: SubscribePayload): void {
    const { admission, assertNotOverloaded } = this.#options;
    try {
      admission.assertJsonValue(request);
      const read = admission.admit(readWebsocketRequest(request, running.context.identity));
      if (read.operation.operation === 'subscription') this.#subscribe(running, read);
      else {
        assertNotOverloaded();
        void this.#query(running, read);
      }
    } catch (error) {
      this.#fail(running, error);
    }
  }

  #subscribe(running: Running, read: AdmittedRequest): void {
    const { socket, frame, live } = this.#options;
    const { id, context, account } = running;
    const end = (type: MessageType, payload?: unknown): void => this.#end(running, type, payload);
    const sink = new WebsocketSink({ id, socket, frame, end });
    const { variables } = read;
    const { identity } = context;
    const subscription = live.subscribe({ read, variables, identity, account }, sink);
    running.leave = () => subscription.leave();
    running.resume = () => subscription.resume();
  }

  async #query(running: Running, admitted: AdmittedRequest): Promise<void> {
    // The headers are copied, because all operations of a websocket share them, but each operation
    // has its own trace.
    const context = { ...running.context, forward: { ...running.context.forward } };
    this.#queries += 1;
    this.#pace();
    try {
      const answer = await this.#options.requests.answer(admitted, context, (listener) => {
        running.leave = listener;
      });
      this.#sendAnswer(running, answer);
    } catch (error) {
      this.#fail(running, error);
    } finally {
      this.#queries -= 1;
      this.#pace();
    }
  }

  #sendAnswer(running: Running, { body }: HttpAnswer): void {
    if (!this.#isRunning(running)) return;
    const errors = requestErrors(body);
    if (errors) {
      this.#end(running, MessageType.Error, errors);
      return;
    }
    const id = JSON.stringify(running.id);
    this.#options.socket.send(`{"id":${id},"type":"${MessageType.Next}","payload":${body}}`);
    this.#end(running, MessageType.Complete);
  }

  #isRunning(running: Running): boolean {
    return this.#all.get(running.id) === running;
  }

  #fail(running: Running, error: unknown): void {
    this.#end(running, MessageType.Error, this.#options.present([error as GraphQLError]));
  }

  #end(running: Running, type: MessageType, payload?: unknown): void {
    if (this.#isRunning(running) && this.#remove(running.id)) this.#send(running.id, type, payload);
  }

  #send(id: string, type: MessageType, payload?: unknown): void {
    const message = payload === undefined ? { id, type } : { id, type, payload };
    this.#options.socket.send(JSON.stringify(message));
  }

  #remove(id: string): boolean {
    const removed = this.#all.delete(id);
    if (this.#all.size === 0) this.#idleSince = performance.now();
    return removed;
  }

  #pace(): void {
    const { socket } = this.#options;
    const isBusy =
      this.#held !== undefined || this.#queries >= MAX_QUERIES || socket.unread() > UNREAD_PAUSE;
    if (isBusy === this.#isPaused) return;
    this.#isPaused = isBusy;
    if (isBusy) socket.pause();
    else socket.resume();
  }

  /**
   * Stops reading for the time after which the client may send again. Without this pause, rejecting
   * each request of a flood would cost as much as answering it.
   */
  #hold(seconds: number): void {
    this.#held ??= setTimeout(() => {
      this.#held = undefined;
      this.#pace();
    }, seconds * 1000);
    this.#pace();
  }
}

/** Returns the errors of an answer that has no data, because the operation was not executed. */
function requestErrors(body: string): readonly GraphQLFormattedError[] | undefined {
  if (!body.startsWith('{"errors"')) return undefined;
  const { data, errors } = JSON.parse(body) as FormattedExecutionResult;
  return data === undefined ? errors : undefined;
}
