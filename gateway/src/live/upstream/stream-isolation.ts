import { createBackoff } from '@gudang/runtime';
import type { LinkedStream } from './linked-stream.ts';
import {
  type ConnectionEnd,
  type ConnectionEvents,
  TERMINATED,
  type UpstreamConnection,
} from './upstream-connection.ts';
import { connectionClosed } from './upstream-errors.ts';

/** Number of streams that are retried at the same time. */
const CONCURRENT_TRIALS = 8;
/**
 * Time that a stream's own connection stays open after the subgraph has read the subscription,
 * before the stream counts as harmless, in milliseconds.
 */
const QUIET_MS = 250;
/** Number of trials after which a stream keeps its own connection. */
const MAX_TRIALS = 2;
/** Time during which a stream without an event may be the cause of a close, in milliseconds. */
const SUSPECT_MS = 10_000;
/** Number of closes without a suspect after which every stream is suspected. */
const MAX_UNEXPLAINED = 3;

/** Close code of a connection that was lost without a close frame (RFC 6455, 7.1.5). */
const ABNORMAL = 1006;
/**
 * Close codes that do not concern an operation: the subgraph stops or is overloaded (RFC 6455,
 * 7.4.1), the gateway is too slow, or the connection itself was refused.
 */
const ORDINARY = new Set([1000, 1001, 1005, 1012, 1013, 4401, 4403, 4408, 4480, 4504, TERMINATED]);

interface IsolationOptions {
  /** The subgraph's name. */
  readonly subgraph: string;
  readonly connect: (events: ConnectionEvents) => UpstreamConnection;
  /** Called for each stream that did not close its own connection. */
  readonly onHarmless: (stream: LinkedStream) => void;
}

/**
 * Finds the stream because of which a subgraph closes a connection. Each suspected stream is
 * retried on a connection of its own. A stream that closes its own connection ends with the reason;
 * the others return to the shared connection.
 */
export class StreamIsolation {
  readonly #options: IsolationOptions;
  readonly #waiting = new Set<LinkedStream>();
  readonly #trials = new Map<LinkedStream, Trial>();
  /** Number of running trials, without those of streams that keep their own connections. */
  #running = 0;
  #unexplained = 0;

  constructor(options: IsolationOptions) {
    this.#options = options;
  }

  /**
   * Returns the streams that may be the cause of a close: those that were being established. A lost
   * connection is suspicious only if it is the second one of the same stream, because a subgraph
   * that crashes or is killed loses its connections as well.
   */
  suspectsOf({ code, sent }: Pick<ConnectionEnd, 'code' | 'sent'>): readonly LinkedStream[] {
    if (sent.length === 0 || ORDINARY.has(code)) return [];
    const since = performance.now() - SUSPECT_MS;
    const unheard = sent
      .filter(({ stream, sentAt }) => !stream.isHeard && sentAt > since)
      .map(({ stream }) => stream);
    if (code === ABNORMAL) {
      for (const stream of unheard) stream.losses += 1;
      return unheard.filter(({ losses }) => losses > 1);
    }
    const untried = unheard.filter(({ trials }) => trials === 0);
    if (unheard.length > 0) return untried.length > 0 ? untried : unheard;
    this.#unexplained += 1;
    if (this.#unexplained < MAX_UNEXPLAINED) return [];
    this.#unexplained = 0;
    return sent.map(({ stream }) => stream);
  }

  /** Retries streams on connections of their own. */
  isolate(streams: readonly LinkedStream[]): void {
    for (const stream of streams) this.#waiting.add(stream);
    this.#startNext();
  }

  /** Call when a stream has closed. */
  forget(stream: LinkedStream): void {
    this.#waiting.delete(stream);
    this.#trials.get(stream)?.stop();
  }

  stop(): void {
    this.#waiting.clear();
    for (const trial of [...this.#trials.values()]) trial.stop();
  }

  #startNext(): void {
    for (const stream of this.#waiting) {
      if (this.#running >= CONCURRENT_TRIALS) return;
      this.#waiting.delete(stream);
      this.#try(stream);
    }
  }

  #try(stream: LinkedStream): void {
    const { subgraph, connect, onHarmless } = this.#options;
    this.#running += 1;
    const trial = new Trial({
      stream,
      connect,
      onPassed: () => {
        if (stream.trials < MAX_TRIALS) onHarmless(stream);
        this.#release();
      },
      onStopped: (isUndecided) => {
        this.#trials.delete(stream);
        if (isUndecided) this.#release();
      },
      onCulprit: (end) => stream.fail([connectionClosed(subgraph, end)]),
    });
    this.#trials.set(stream, trial);
  }

  #release(): void {
    this.#running -= 1;
    this.#startNext();
  }
}

interface TrialOptions {
  readonly stream: LinkedStream;
  readonly connect: IsolationOptions['connect'];
  /** Called when the stream has not closed its own connection. */
  readonly onPassed: () => void;
  /** Called when the stream's own connection is closed for good, before `onCulprit`. */
  readonly onStopped: (isUndecided: boolean) => void;
  /** Called when the subgraph has closed the stream's own connection because of the stream. */
  readonly onCulprit: (end: ConnectionEnd) => void;
}

/**
 * States of a stream on a connection of its own.
 *
 * - `undecided`: the connection is opened, again if it is lost, until the verdict. → `passed` at the
 *   first event or position, or if the connection is still open 250 ms after the subgraph has read
 *   the subscription. → `stopped` if the subgraph closes the connection.
 * - `passed`: the stream stays on the connection until the shared connection carries it, or
 *   indefinitely after its second trial. → `stopped` when the stream leaves the connection.
 * - `stopped`: final.
 */
type TrialState = 'undecided' | 'passed' | 'stopped';

class Trial {
  readonly #options: TrialOptions;
  readonly #backoff = createBackoff(100, 5_000);
  #state: TrialState = 'undecided';
  #connection: UpstreamConnection | undefined;
  /** Waits for the next attempt, or for the verdict. */
  #timer: NodeJS.Timeout | undefined;
  #losses = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    options.stream.trials += 1;
    options.stream.onHeard = () => this.#pass();
    this.#connect();
  }

  stop(): void {
    if (this.#state === 'stopped') return;
    const isUndecided = this.#state === 'undecided';
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    this.#options.stream.onHeard = undefined;
    this.#connection?.close();
    this.#options.onStopped(isUndecided);
  }

  #connect(): void {
    const { stream, connect } = this.#options;
    const connection = connect({
      onAcknowledged: () => {
        stream.sendOn(connection);
        if (!stream.isClosed) connection.ping();
      },
      onPong: () => {
        if (this.#state === 'undecided') this.#timer ??= setTimeout(() => this.#pass(), QUIET_MS);
      },
      onSettled: () => this.#backoff.reset(),
      onUnused: () => this.stop(),
      onEnded: (end) => this.#ended(end),
    });
    this.#connection = connection;
  }

  #pass(): void {
    if (this.#state !== 'undecided') return;
    this.#state = 'passed';
    this.#losses = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#options.onPassed();
  }

  #ended(end: ConnectionEnd): void {
    const { stream, onCulprit } = this.#options;
    this.#connection = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#state === 'passed' && stream.trials < MAX_TRIALS) {
      this.stop();
      return;
    }
    const isCarried = end.sent.length > 0;
    if (isCarried && end.code === ABNORMAL) this.#losses += 1;
    const isClosedByStream =
      isCarried && !ORDINARY.has(end.code) && (end.code !== ABNORMAL || this.#losses > 1);
    if (isClosedByStream) {
      this.stop();
      onCulprit(end);
      return;
    }
    stream.waitForConnection();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connect();
    }, this.#backoff.next());
  }
}
