import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from '@gudang/runtime/backoff';
import { StartError } from '@gudang/runtime/errors';
import { describeExit, type Exit } from './child.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/**
 * Minimum duration of a run after which the next restart waits only for `FIRST_WAIT_MS`, in
 * milliseconds.
 */
const HEALTHY_AFTER_MS = 30_000;
/**
 * Time after a restart during which dependent parts may still report the outage, in milliseconds.
 */
const RECOVERED_AFTER_MS = 10_000;

/** A supervised process. */
export interface Part {
  exited: Promise<Exit>;
  stop(deadlineMs?: number): Promise<void>;
}

export interface SuperviseOptions {
  /** The subject of the lines: `Kafka`. */
  title: string;
  /** A sentence that says what still works while the part is restarted. */
  meanwhile?: string;
  /**
   * Starts the part. Resolves when the part is ready. If the signal is aborted, the function must
   * stop the part and reject.
   */
  start: (signal: AbortSignal) => Promise<Part>;
  /**
   * Receives a line when the part stops, `Kafka stopped (SIGKILL); restarting it in 0.5 s.`, and when it is
   * ready again, `Kafka is ready again after 4.2 s.`
   */
  log: (line: string) => void;
}

export interface Supervised {
  /** Resolves when the part is ready for the first time. Rejects if the part cannot start. */
  ready: Promise<void>;
  /** True from an exit until 10 s after the part is ready again. */
  isRecovering(): boolean;
  /** Stops the part and its supervision. Kills the part after the deadline. */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Keeps a part running: restarts it after each exit, with exponential back-off from 0.5 s to 15 s.
 * A StartError before the first success is final, because a retry cannot install a program or
 * correct a setting. All other failures are retried.
 */
export function supervise({ title, meanwhile, start, log }: SuperviseOptions): Supervised {
  const stopping = new AbortController();
  const { signal } = stopping;
  const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
  let first: { resolve(): void; reject(reason: unknown): void };
  const ready = new Promise<void>((resolve, reject) => {
    first = { resolve, reject };
  });
  // Mark the rejection as handled, because a caller that only stops the part does not handle it.
  ready.catch(() => {});
  let current: Part | undefined;
  let stopDeadlineMs: number | undefined;
  let recoveringUntil = 0;
  const consequence = meanwhile === undefined ? '' : ` ${meanwhile}`;

  const keepRunning = async () => {
    let everReady = false;
    let unavailableSince = Date.now();
    while (!signal.aborted) {
      const begun = Date.now();
      let outcome: string;
      try {
        current = await start(signal);
        // `stop` may have been called while the part was starting.
        if (signal.aborted) return await current.stop(stopDeadlineMs);
        if (everReady) {
          log(`${title} is ready again after ${seconds(Date.now() - unavailableSince)}.`);
          recoveringUntil = Date.now() + RECOVERED_AFTER_MS;
        }
        everReady = true;
        first.resolve();
        const exit = await current.exited;
        if (signal.aborted) return;
        unavailableSince = Date.now();
        outcome = `stopped (${describeExit(exit)}); restarting it`;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StartError && !everReady) return first.reject(error);
        const reason = error instanceof Error ? error.message : String(error);
        outcome = `did not start (${reason}); trying again`;
      }
      recoveringUntil = Number.POSITIVE_INFINITY;
      current = undefined;
      if (Date.now() - begun >= HEALTHY_AFTER_MS) backoff.reset();
      const wait = backoff.next();
      log(`${title} ${outcome} in ${seconds(wait)}.${consequence}`);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  };

  const ended = keepRunning();
  return {
    ready,
    isRecovering: () => Date.now() < recoveringUntil,
    async stop(deadlineMs) {
      stopDeadlineMs = deadlineMs;
      stopping.abort(new Error(`${title} is stopping`));
      first.reject(signal.reason);
      await current?.stop(deadlineMs);
      await ended;
    },
  };
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
