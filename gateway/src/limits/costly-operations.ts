import { callerKey, isLoopbackAddress, type Metrics } from '@gudang/runtime';
import { RequestError } from '../errors/request-error.ts';
import type { Caller } from './byte-budget.ts';

/** Maximum number of costly operations that run at the same time. */
const CONCURRENT = 2;
/** Maximum numbers of costly operations that wait: of all callers, and of one caller. */
const WAITING = 100;
const WAITING_OF_CALLER = 8;
/** Maximum time that an operation waits, in milliseconds. */
const WAIT_MS = 10_000;
/** Pause after an operation, as a multiple of its time, and its maximum in milliseconds. */
const PAUSE_FACTOR = 3;
const MAX_PAUSE_MS = 250;
/**
 * Time after which an operation gives up its turn, in milliseconds. An operation that runs longer mostly waits
 * for a subgraph; two operations that wait for a subgraph that hangs would otherwise hold up all others.
 */
const MAX_TURN_MS = 1_000;

/** Number of waiting callers above which one operation runs at a time. */
const CROWD = 3;

interface Waiting {
  readonly start: () => void;
  readonly refuse: () => void;
}

/**
 * Runs costly operations one after another, at most two at the same time. Validating their input and
 * writing their answers takes tens of milliseconds each. Without turns, a few callers with many such
 * operations would delay the small queries of all other callers by seconds. After each operation, its turn
 * pauses for three times as long as the operation took, but at most 250 ms. If more than three callers wait,
 * one operation runs at a time. An operation gives up its turn after a second, so that a slow subgraph does
 * not hold up operations that do not need it.
 *
 * Callers take turns regardless of the number of their operations, and a caller with a running operation waits
 * for the others. If too many operations wait, the newest one of the caller with the most is refused.
 */
export class CostlyOperations {
  /** Waiting operations, oldest first, of each caller; the caller in turn first. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #running: string[] = [];
  #waitingCount = 0;
  readonly #refused: { inc(): void };

  constructor(metrics: Metrics) {
    this.#refused = metrics.counter(
      'gateway_costly_refused_total',
      'Costly operations rejected because too many were waiting',
    );
  }

  /** Runs an operation in its turn. @throws {RequestError} 503 `OVERLOADED` if too many wait */
  async run<T>(caller: Caller, work: () => Promise<T>): Promise<T> {
    const key = callerKey(caller.identity.subject, caller.address);
    await this.#turn(key, caller);
    const startedAt = performance.now();
    let hasTurn = true;
    const giveUp = setTimeout(() => {
      hasTurn = false;
      this.#release(key);
    }, MAX_TURN_MS);
    try {
      return await work();
    } finally {
      clearTimeout(giveUp);
      const pauseMs = Math.min((performance.now() - startedAt) * PAUSE_FACTOR, MAX_PAUSE_MS);
      if (hasTurn) setTimeout(() => this.#release(key), pauseMs);
    }
  }

  #turn(key: string, { identity, address }: Caller): Promise<void> | undefined {
    if (this.#running.length < CONCURRENT && this.#waitingCount === 0) {
      this.#running.push(key);
      return undefined;
    }
    const isLocal = identity.subject === undefined && isLoopbackAddress(address);
    const own = this.#waiting.get(key)?.length ?? 0;
    if (own >= WAITING_OF_CALLER && !isLocal) throw this.#refusal();
    if (this.#waitingCount >= WAITING && !this.#refuseNewest(own)) throw this.#refusal();
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        clearTimeout(timeout);
        this.#remove(key, waiting);
        reject(this.#refusal());
      };
      const waiting: Waiting = {
        refuse,
        start: () => {
          clearTimeout(timeout);
          this.#remove(key, waiting);
          this.#running.push(key);
          resolve();
        },
      };
      const timeout = setTimeout(refuse, WAIT_MS);
      this.#waitingCount += 1;
      const queue = this.#waiting.get(key);
      if (queue) queue.push(waiting);
      else this.#waiting.set(key, [waiting]);
    });
  }

  /**
   * Refuses the newest operation of the caller with the most waiting operations.
   * @param own number of waiting operations of the caller who needs a place
   * @returns false if no caller would still have more waiting operations than this one
   */
  #refuseNewest(own: number): boolean {
    let most: readonly Waiting[] = [];
    for (const queue of this.#waiting.values()) if (queue.length > most.length) most = queue;
    if (most.length <= own + 1) return false;
    most.at(-1)?.refuse();
    return true;
  }

  #remove(key: string, waiting: Waiting): void {
    const queue = this.#waiting.get(key) ?? [];
    queue.splice(queue.indexOf(waiting), 1);
    this.#waitingCount -= 1;
    if (queue.length === 0) this.#waiting.delete(key);
  }

  #release(key: string): void {
    this.#running.splice(this.#running.indexOf(key), 1);
    while (this.#running.length < (this.#waiting.size > CROWD ? 1 : CONCURRENT)) {
      const keys = [...this.#waiting.keys()];
      const next = keys.find((one) => !this.#running.includes(one)) ?? keys[0];
      if (next === undefined) return;
      const queue = this.#waiting.get(next) ?? [];
      // The caller is the last one in the next round.
      this.#waiting.delete(next);
      this.#waiting.set(next, queue);
      queue[0]?.start();
    }
  }

  #refusal(): RequestError {
    this.#refused.inc();
    return new RequestError(
      503,
      'Too many costly operations are waiting: select less, send smaller inputs, or try again',
      { code: 'OVERLOADED', retryable: true },
    );
  }
}
