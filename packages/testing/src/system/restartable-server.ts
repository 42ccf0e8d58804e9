import { setTimeout as pause } from 'node:timers/promises';

interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  stop(deadlineMs?: number): Promise<void>;
}

/** A server that can be stopped or killed and started again with its data on the same port. */
export interface RestartableServer {
  readonly running: () => boolean;
  /** Id of the running process; undefined if the server is not running. */
  readonly pid: () => number | undefined;
  /** Sends SIGKILL and waits for the exit. */
  readonly kill: () => Promise<void>;
  /** Shuts the server down cleanly, as for a restart. */
  readonly stop: () => Promise<void>;
  /** Starts the server. Does nothing if the server is running. */
  readonly start: () => Promise<void>;
}

/**
 * Maximum number of attempts to start. More than one attempt may be needed, because children of a
 * killed process can hold its port for a moment.
 */
const ATTEMPTS = 40;
const BETWEEN_ATTEMPTS_MS = 250;

const alive = new Set<number>();
process.on('exit', () => {
  for (const pid of alive) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // The process has already exited.
    }
  }
});

export async function startRestartableServer(
  start: () => Promise<Running>,
): Promise<RestartableServer> {
  let current: Running | undefined;

  const begin = async (): Promise<void> => {
    if (current) return;
    for (let left = ATTEMPTS; ; left -= 1) {
      try {
        const running = await start();
        current = running;
        alive.add(running.pid);
        void running.exited.then(() => {
          alive.delete(running.pid);
          if (current === running) current = undefined;
        });
        return;
      } catch (error) {
        if (left === 0) throw error;
        await pause(BETWEEN_ATTEMPTS_MS);
      }
    }
  };
  await begin();

  return {
    running: () => current !== undefined,
    pid: () => current?.pid,
    kill: async () => {
      const ending = current;
      if (!ending) return;
      process.kill(ending.pid, 'SIGKILL');
      await ending.exited;
    },
    stop: async () => {
      await current?.stop();
    },
    start: begin,
  };
}
