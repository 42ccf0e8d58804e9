import { setImmediate as nextIteration } from 'node:timers/promises';
import type { FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { MessageType, type SubscribeMessage, type SubscribePayload } from 'graphql-ws';
import type { GatewayContext } from '../../../context.ts';
import { LimitExceeded } from '../../../errors/limit-exceeded.ts';
import { RequestError } from '../../../errors/request-error.ts';
import type { Admission, AdmittedRequest } from '../../../limits/admission.ts';
import type { ByteAccount } from '../../../limits/byte-account.ts';
import type { AssertNotOverloaded } from '../../../limits/overload.ts';
import type { PlanningBudget } from '../../../limits/planning-budget.ts';
import type { RequestRate } from '../../../limits/request-rate.ts';
import type { RequestDeduplication } from '../../../request-pipeline/request-deduplication.ts';
import type { HttpAnswer } from '../../../request-pipeline/request-pipeline.ts';
import { readLiveExtension } from '../../../requests/live-extension.ts';
import { readWebsocketRequest } from '../../../requests/websocket-request.ts';
import type { StreamRegistry } from '../../fanout/stream-registry.ts';
import { EventTurns } from '../../upstream/turns.ts';
import type { MessageSocket } from './client-socket.ts';
import { LiveCloseCode } from './close-codes.ts';
import { WaitingOperations } from './waiting-operations.ts';
import type { Framers } from './websocket-frames.ts';
import { WebsocketSink } from './websocket-sink.ts';

/** Number of running queries at which further operations wait. */
const MAX_QUERIES = 32;
/** Number of unread bytes above which operations wait for the client to read. */
const UNREAD_PAUSE = 256 * 1024;
/**
 * Size of all waiting messages, in bytes, at which the gateway stops reading from a client. One
 * message of any allowed size may always wait.
 */
const MAX_WAITING = 512 * 1024;

/** Number of operations of a closed websocket that are left in one iteration; each takes about 0.1 ms. */
const LEFT_PER_ITERATION = 20;
/** Maximum time that starts may occupy one iteration of the event loop, in milliseconds. */
const STARTS_MS = 2;
/**
 * Turns in which the operations of all websockets start. Planning an operation takes some
 * milliseconds, and the rate limit releases hundreds of them at the same time. Operations of callers with
 * many streams together take at most a quarter of the time.
 */
const STARTS = new EventTurns(undefined, STARTS_MS);

export interface OperationsOptions {
  readonly socket: MessageSocket;
  readonly admission: Pick<Admission, 'admit' | 'assertJsonValue'>;
  readonly rate: RequestRate;
  readonly planning: Pick<PlanningBudget, 'charged'>;
  readonly assertNotOverloaded: AssertNotOverloaded;
  /** The client's address, for limits per address. */
  readonly address: string;
  /** Maximum number of concurrent operations. */
  readonly maxOperations: number;
  /** Maximum size of a message, in bytes. */
  readonly messageBytes: number;
  /** Time after which a client from which the gateway has stopped reading is closed, in ms. */
  readonly pauseLimitMs: number;
  /** Answers queries and mutations. */
  readonly requests: RequestDeduplication;
  readonly live: Pick<StreamRegistry, 'subscribe' | 'isMetered'>;
  readonly present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  readonly framers: Framers;
  /** Called with an exception that no operation expects. */
  readonly onDefect: (error: unknown) => void;
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
 * The operations of one websocket. Operations wait while the client sends queries faster than the
 * gateway answers them or faster than the client reads the results, and for a second after they
 * exceed the rate limit. Control messages are read and handled meanwhile. When too many operations
 * wait, the gateway stops reading, and closes the websocket if this does not change. This bounds
 * the number of queries, results and messages that one client keeps in memory.
 */
export class SocketOperations {
  readonly #options: OperationsOptions;
  readonly #all = new Map<string, Running>();
  readonly #waiting = new WaitingOperations<Running>();
  /** Number of queries that run, and of operations that wait for the rate limit. */
  #active = 0;
  #held: NodeJS.Timeout | undefined;
  /** Closes the websocket; set while the gateway does not read from it. */
  #paused: NodeJS.Timeout | undefined;
  #idleSince = performance.now();
  #left: Promise<void> = Promise.resolve();

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  /** Whether the gateway has stopped reading from the client. */
  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  has(id: string): boolean {
    return this.#all.has(id);
  }

  /** @param message the text of the operation's message */
  begin(
    { id, payload }: SubscribeMessage,
    message: string,
    context: GatewayContext,
    account: ByteAccount,
  ): void {
    const { maxOperations } = this.#options;
    const running: Running = { id, context, account, leave: () => {}, resume: () => {} };
    this.#all.set(id, running);
    if (this.#all.size > maxOperations) {
      const actual = this.#all.size;
      this.#fail(running, new LimitExceeded('operations', { actual, max: maxOperations }));
    } else if (!this.#isBusy && this.#waiting.count === 0) this.#start(running, payload);
    else if (this.#waiting.add(running, payload, message)) this.#pace();
    else this.#fail(running, tooMuchWaits());
  }

  /** Ends an operation that its client has completed. @returns whether there was one */
  leave(id: string): boolean {
    const running = this.#all.get(id);
    if (!running) return false;
    this.#remove(id);
    this.#waiting.remove(id);
    this.#pace();
    running.leave();
    return true;
  }

  /** Ends all operations at once, so that their memory is free when this function returns. */
  leaveAllNow(): void {
    for (const running of this.#takeAll()) running.leave();
  }

  /** Ends all operations, in turns. Resolves when all have been left, also by earlier calls. */
  leaveAll(): Promise<void> {
    this.#left = Promise.all([this.#left, leaveInTurns(this.#takeAll())]).then(() => {});
    return this.#left;
  }

  #takeAll(): Running[] {
    clearTimeout(this.#held);
    clearTimeout(this.#paused);
    this.#waiting.clear();
    const all = [...this.#all.values()];
    this.#all.clear();
    return all;
  }

  /** Call when the socket accepts more data again. */
  resume(): void {
    for (const running of this.#all.values()) running.resume();
    this.#startWaiting();
  }

  /** Time without a running operation, in milliseconds. */
  get idleMs(): number {
    return this.#all.size > 0 ? 0 : performance.now() - this.#idleSince;
  }

  get #isBusy(): boolean {
    return (
      this.#held !== undefined ||
      this.#active >= MAX_QUERIES ||
      this.#options.socket.unread() > UNREAD_PAUSE
    );
  }

  #start(running: Running, request: SubscribePayload): void {
    const { rate, address, onDefect } = this.#options;
    const turn = rate.take(running.context.identity, address);
    if (turn !== undefined) this.#runAfter(turn, running, request).catch(onDefect);
    else this.#run(running, request);
  }

  async #runAfter(turn: Promise<void>, running: Running, request: SubscribePayload): Promise<void> {
    this.#active += 1;
    try {
      await turn;
      const isPatient = this.#isPatient(running);
      if (isPatient || STARTS.mustWait(false)) await STARTS.next(isPatient);
    } catch (error) {
      if (error instanceof RequestError && error.retryAfterS) this.#hold(error.retryAfterS);
      this.#fail(running, error);
      return;
    } finally {
      this.#active -= 1;
    }
    if (this.#isRunning(running)) this.#run(running, request);
    this.#startWaiting();
  }

  #startWaiting(): void {
    while (this.#waiting.count > 0 && !this.#isBusy) {
      const next = this.#waiting.shift();
      if (next) this.#start(next.running, next.request);
    }
    this.#pace();
  }

  #run(running: Running, request: SubscribePayload): void {
    const { iteration } = STARTS;
    const since = performance.now();
    this.#admit(running, request);
    STARTS.spend(iteration, performance.now() - since, this.#isPatient(running));
  }

  /** Whether an operation starts after those of callers with few streams, and with pauses. */
  #isPatient({ account }: Running): boolean {
    return this.#options.live.isMetered(account);
  }

  #admit(running: Running, request: SubscribePayload): void {
    const { address, admission, assertNotOverloaded, planning } = this.#options;
    const { identity } = running.context;
    try {
      const values = admission.assertJsonValue(request);
      const asked = readWebsocketRequest(request, identity);
      const read = planning.charged({ identity, address }, () => admission.admit(asked, values));
      if (read.operation.operation === 'subscription') this.#subscribe(running, read);
      else {
        assertNotOverloaded();
        this.#query(running, read).catch(this.#options.onDefect);
      }
    } catch (error) {
      this.#fail(running, error);
    }
  }

  #subscribe(running: Running, read: AdmittedRequest): void {
    const { address, socket, framers, live, planning } = this.#options;
    const { id, context, account } = running;
    const end = (type: MessageType, payload?: unknown): void => this.#end(running, type, payload);
    const extension = readLiveExtension(read);
    const frame = extension.isPresent ? framers.live : framers.plain;
    const sink = new WebsocketSink({ id, socket, frame, end });
    const { variables } = read;
    const { identity, headers, client } = context;
    const asked = { read, variables, identity, headers, client, account, extension };
    const subscription = planning.charged({ identity, address }, () => live.subscribe(asked, sink));
    running.leave = () => subscription.leave();
    running.resume = () => subscription.resume();
  }

  async #query(running: Running, admitted: AdmittedRequest): Promise<void> {
    // The headers are copied, because all operations of a websocket share them, but each operation
    // has its own trace.
    const context = { ...running.context, forward: { ...running.context.forward } };
    this.#active += 1;
    try {
      const answer = await this.#options.requests.answer(admitted, context, (listener) => {
        running.leave = listener;
      });
      await this.#sendAnswer(running, answer);
    } catch (error) {
      this.#fail(running, error);
    } finally {
      this.#active -= 1;
      this.#startWaiting();
    }
  }

  /** Sends an answer; one with `@defer` as one message for each part. */
  async #sendAnswer(running: Running, { body, parts }: HttpAnswer): Promise<void> {
    if (!this.#isRunning(running)) return;
    const errors = requestErrors(body);
    if (errors) {
      this.#end(running, MessageType.Error, errors);
      return;
    }
    const id = JSON.stringify(running.id);
    const send = (payload: string): void =>
      this.#options.socket.send(`{"id":${id},"type":"${MessageType.Next}","payload":${payload}}`);
    send(body);
    for await (const part of parts?.read() ?? []) {
      if (!this.#isRunning(running)) return;
      send(part);
    }
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

  /** Reads from the client, unless too many operations wait. */
  #pace(): void {
    const { socket, messageBytes, pauseLimitMs } = this.#options;
    const limit = Math.max(MAX_WAITING, 2 * messageBytes);
    if (!this.#paused && this.#waiting.bytes > limit) {
      socket.pause();
      this.#paused = setTimeout(
        () => socket.close(LiveCloseCode.lagged, 'Lagged: too many operations wait'),
        pauseLimitMs,
      );
    } else if (this.#paused && this.#waiting.bytes <= limit / 2) {
      clearTimeout(this.#paused);
      this.#paused = undefined;
      socket.resume();
    }
  }

  /**
   * Lets operations wait for the time after which the client may send again. Without this wait,
   * rejecting each request of a flood would cost as much as answering it.
   */
  #hold(seconds: number): void {
    this.#held ??= setTimeout(() => {
      this.#held = undefined;
      try {
        this.#startWaiting();
      } catch (error) {
        this.#options.onDefect(error);
      }
    }, seconds * 1000);
  }
}

async function leaveInTurns(all: readonly Running[]): Promise<void> {
  for (const [index, running] of all.entries()) {
    if (index > 0 && index % LEFT_PER_ITERATION === 0) await nextIteration();
    running.leave();
  }
}

function tooMuchWaits(): RequestError {
  return new RequestError(
    503,
    'The gateway holds too much data for this client: read the results, and send fewer operations at once',
    { code: 'OVERLOADED', retryable: true },
  );
}

/** Returns the errors of an answer that has no data, because the operation was not executed. */
function requestErrors(body: string): readonly GraphQLFormattedError[] | undefined {
  if (!body.startsWith('{"errors"')) return undefined;
  const { data, errors } = JSON.parse(body) as FormattedExecutionResult;
  return data === undefined ? errors : undefined;
}
