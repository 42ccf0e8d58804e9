import { Session } from 'node:inspector/promises';
import type { Stoppable } from './stoppable.ts';

/** Interval between two looks at the process, in milliseconds. */
const EVERY_MS = 10_000;
/** Share of a core up to which a process counts as idle. The services use 0.5 to 2 % without requests. */
const IDLE_SHARE = 0.05;
/** Number of idle intervals before memory is released. */
const IDLE_INTERVALS = 2;
/** Growth since the last release from which the next one is worth its pause. */
const GROWTH = 1.05;
/** Largest heap that is collected, in bytes. Its collection blocks the process for up to 0.3 s. */
const MAX_HEAP = 128 * 1024 * 1024;

/** Resources that a process uses, in milliseconds and bytes. */
export interface ProcessUse {
  readonly at: number;
  /** CPU time so far. */
  readonly cpu: number;
  readonly rss: number;
  readonly heap: number;
}

/** Decides when an idle process releases memory. */
export class ReleaseDecision {
  #last: ProcessUse;
  #idle = 0;
  /** Memory after the last release; 0: parts that wait for a database or a broker may still be starting. */
  #released = 0;

  constructor(first: ProcessUse) {
    this.#last = first;
  }

  /** Returns whether to release memory now. */
  readonly isDue = (now: ProcessUse): boolean => {
    const share = (now.cpu - this.#last.cpu) / (now.at - this.#last.at);
    this.#last = now;
    this.#idle = share <= IDLE_SHARE ? this.#idle + 1 : 0;
    return (
      this.#idle >= IDLE_INTERVALS && now.heap <= MAX_HEAP && now.rss > this.#released * GROWTH
    );
  };

  /** @param rss memory after the release */
  readonly released = (rss: number): void => {
    this.#released = rss;
    this.#idle = 0;
  };
}

/**
 * Releases memory now, and later whenever the process has been idle for 20 s and has grown. V8 collects
 * garbage only while a process allocates, so an idle process would keep the garbage of its last load, and of
 * its start (20 to 35 MiB).
 */
export async function startMemoryRelease(): Promise<Stoppable> {
  await collectGarbage();
  const decision = new ReleaseDecision(readUse());
  const timer = setInterval(() => {
    if (!decision.isDue(readUse())) return;
    void collectGarbage().then(() => decision.released(process.memoryUsage.rss()));
  }, EVERY_MS).unref();
  return { stop: async () => clearInterval(timer) };
}

function readUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  const { heapUsed: heap, rss } = process.memoryUsage();
  return { at: performance.now(), cpu: (user + system) / 1_000, rss, heap };
}

/**
 * Runs a garbage collection that returns memory to the operating system. It blocks the process for about
 * 0.2 s. `gc()` is not used, because it collects the same amount but does not return the memory.
 */
async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  session.disconnect();
}
