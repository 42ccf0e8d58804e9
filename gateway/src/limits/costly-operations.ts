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

interface Waiting {
  readonly caller: string;
  readonly start: () => void;
}

/**
 * Runs costly operations one after another, at most two at the same time. Validating their input and
 * writing their answers blocks the event loop for tens of milliseconds each. Without turns, a few
 * callers with many such operations would delay the small queries of all other callers by seconds. Callers take
 * turns: a caller with a running operation waits for the others. After each operation, its turn pauses
 * for three times as long as the operation took, but at most 250 ms.
 */
export class CostlyOperations {
  readonly #waiting: Waiting[] = [];
  readonly #running: string[] = [];
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
    try {
      return await work();
    } finally {
      const pauseMs = Math.min((performance.now() - startedAt) * PAUSE_FACTOR, MAX_PAUSE_MS);
      setTimeout(() => this.#release(key), pauseMs);
    }
  }

  #turn(key: string, { identity, address }: Caller): Promise<void> | undefined {
    if (this.#running.length < CONCURRENT) {
      this.#running.push(key);
      return undefined;
    }
    const isLocal = identity.subject === undefined && isLoopbackAddress(address);
    const own = this.#waiting.filter(({ caller }) => caller === key).length;
    if (this.#waiting.length >= WAITING || (own >= WAITING_OF_CALLER && !isLocal)) {
      throw this.#refusal();
    }
    return new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(this.#refusal());
      }, WAIT_MS);
      const waiting: Waiting = {
        caller: key,
        start: () => {
          clearTimeout(timeout);
          resolve();
        },
      };
      this.#waiting.push(waiting);
    });
  }

  #release(key: string): void {
    this.#running.splice(this.#running.indexOf(key), 1);
    const other = this.#waiting.findIndex(({ caller }) => !this.#running.includes(caller));
    const [next] = this.#waiting.splice(Math.max(other, 0), 1);
    if (!next) return;
    this.#running.push(next.caller);
    next.start();
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
