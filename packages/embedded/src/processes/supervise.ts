import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../start-error.ts';
import { backOff } from './back-off.ts';
import { describeExit, type Exit } from './child.ts';

/** What is kept alive: something that runs until it exits or is stopped. */
export interface Part {
  exited: Promise<Exit>;
  stop(deadlineMs?: number): Promise<void>;
}

export interface SuperviseOptions {
  name: string;
  /** Resolves when the part is ready for use. When the signal is aborted it stops what it has begun, and rejects. */
  start: (signal: AbortSignal) => Promise<Part>;
  /** Gets what becomes of it: `kafka died (SIGKILL); starting it again in 0.5 s`. */
  log: (line: string) => void;
}

export interface Supervised {
  /** Resolves when the part is ready for the first time; rejects when it cannot start at all. */
  ready: Promise<void>;
  /** Ends the part and its supervision; the part is killed after the deadline. */
  stop(deadlineMs?: number): Promise<void>;
}

/**
 * Keeps a part running: whenever it dies it is named and started again, with back-off. A StartError of the first
 * start is final (a missing program, a bad setting: trying again would not help); any later one may pass.
 */
export function supervise({ name, start, log }: SuperviseOptions): Supervised {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: Part | undefined;
  let stopDeadlineMs: number | undefined;
  let settle: { resolve(): void; reject(reason: unknown): void };
  const ready = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever is only interested in stopping need not watch this one.
  ready.catch(() => {});

  const keepRunning = async () => {
    let everReady = false;
    for (let wait: number | undefined; !signal.aborted; ) {
      const begun = Date.now();
      try {
        current = await start(signal);
        // It may have become ready in the moment in which it was told to stop.
        if (signal.aborted) return await current.stop(stopDeadlineMs);
        if (everReady) log(`ready again after ${seconds(Date.now() - begun)}`);
        everReady = true;
        settle.resolve();
        const exit = await current.exited;
        if (signal.aborted) return;
        wait = backOff(wait, Date.now() - begun);
        log(`${name} died (${describeExit(exit)}); starting it again in ${seconds(wait)}`);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof StartError && !everReady) return settle.reject(error);
        wait = backOff(wait, Date.now() - begun);
        const reason = error instanceof Error ? error.message : String(error);
        log(`${name} did not start (${reason}); trying again in ${seconds(wait)}`);
      }
      current = undefined;
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  };

  const ended = keepRunning();
  return {
    ready,
    async stop(deadlineMs) {
      stopDeadlineMs = deadlineMs;
      stopping.abort(new Error(`${name} is stopping`));
      settle.reject(signal.reason);
      await current?.stop(deadlineMs);
      await ended;
    },
  };
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
