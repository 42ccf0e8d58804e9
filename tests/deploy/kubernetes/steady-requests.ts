import { setTimeout as delay } from 'node:timers/promises';

/** Time between two requests of a loop, in milliseconds. */
const PAUSE_MS = 50;
const LOOPS = 4;

export interface SteadyRequests {
  readonly sent: () => number;
  /** Messages of the requests that failed. No request is retried. */
  readonly failures: readonly string[];
  readonly stop: () => Promise<void>;
}

/** Sends requests until it is stopped, in several loops with a pause after each request. */
export function startRequests(request: () => Promise<void>): SteadyRequests {
  const failures: string[] = [];
  let sent = 0;
  let isStopped = false;
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      sent += 1;
      await request().catch((error: Error) => {
        failures.push(`${error.message} ${String(error.cause ?? '')}`);
      });
      await delay(PAUSE_MS);
    }
  };
  const loops = Array.from({ length: LOOPS }, loop);
  return {
    sent: () => sent,
    failures,
    stop: async () => {
      isStopped = true;
      await Promise.all(loops);
    },
  };
}
