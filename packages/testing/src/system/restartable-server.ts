import { setTimeout as pause } from 'node:timers/promises';

interface Running {
  readonly pid: number;
  readonly exited: Promise<unknown>;
  stop(deadlineMs?: number): Promise<void>;
}

/** A server that can be ended in any way and started again with its data, at the same port. */
export interface Server {
  readonly running: () => boolean;
  /** Of the process that runs now. */
  readonly pid: () => number | undefined;
  /** SIGKILL, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** In order, as for a restart. */
  readonly stop: () => Promise<void>;
  /** Does nothing while it runs. */
  readonly start: () => Promise<void>;
}

/** Whoever is gone may leave children, and with them its port, for a moment. */
const ATTEMPTS = 40;
const BETWEEN_ATTEMPTS_MS = 250;

const alive = new Set<number>();
process.on('exit', () => {
  for (const pid of alive) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }
});

export async function startServer(start: () => Promise<Running>): Promise<Server> {
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
