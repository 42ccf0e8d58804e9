import type { Logger } from './logger.ts';

/** How often an outage is logged again while its reason stays the same, in milliseconds. */
const REMINDER_MS = 30_000;

/** Why a dependency cannot be used and what to do, as text for the log. */
export interface Problem {
  readonly reason: string;
  readonly advice: string;
}

/**
 * Creates a log of a dependency's outages. It writes a warning when an outage begins and for each new
 * reason: a server that restarts with another password first does not answer, then rejects the password.
 * It repeats the current warning every 30 s and logs the end of the outage.
 * @param what the dependency: "Kafka at 127.0.0.1:9092"
 * @param meanwhile what still works, appended to the advice
 */
export function createOutageLog(
  log: Pick<Logger, 'info' | 'warn'>,
  { what, meanwhile = '' }: { readonly what: string; readonly meanwhile?: string },
) {
  /** Lines of the current outage. Each is logged at once only the first time, so that alternating reasons cannot flood the log. */
  const logged = new Set<string>();
  let lastLoggedAt = 0;
  return {
    /** Logs that the dependency is unavailable, unless the same line was logged less than 30 s ago. */
    report({ reason, advice }: Problem): void {
      const line = `${reason}: ${advice}${meanwhile}; retrying`;
      const now = Date.now();
      if (logged.has(line) && now - lastLoggedAt <= REMINDER_MS) return;
      logged.add(line);
      lastLoggedAt = now;
      log.warn(line);
    },
    /** Logs the end of an outage; does nothing if there is none. */
    end(): void {
      if (logged.size === 0) return;
      logged.clear();
      log.info(`${what} answers again`);
    },
  };
}
