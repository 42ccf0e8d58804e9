import type { Logger } from './logger.ts';

/** Interval at which an outage is logged again while its reason stays the same, in milliseconds. */
const REMINDER_MS = 30_000;

/** The reason why a dependency cannot be used, and advice for the user, as texts for the log. */
export interface Problem {
  readonly reason: string;
  readonly advice: string;
}

/**
 * Creates a log of a dependency's outages. The log contains a warning when an outage begins, and another
 * warning for each new reason, with the advice as a field as well. For example, a server that restarts with a new password first does not
 * answer, and then rejects the old password. The current warning is repeated every 30 s. The end of the
 * outage is logged, too.
 * @param what the dependency, such as "Kafka at 127.0.0.1:9092"
 * @param meanwhile text that states what still works; it is appended to the advice
 */
export function createOutageLog(
  log: Pick<Logger, 'info' | 'warn'>,
  { what, meanwhile = '' }: { readonly what: string; readonly meanwhile?: string },
) {
  /**
   * Lines of the current outage. A line is logged immediately only at its first occurrence, so that
   * alternating reasons cannot flood the log.
   */
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
      log.warn({ advice }, line);
    },
    /** Logs the end of an outage. Does nothing if there is no outage. */
    end(): void {
      if (logged.size === 0) return;
      logged.clear();
      log.info(`${what} answers again`);
    },
  };
}
