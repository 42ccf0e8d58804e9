import type { Logger } from './logger.ts';

/** How often an outage is spoken of while nothing new is known of it. */
const REMINDER_MS = 30_000;

/** Why something outside this process cannot be used, and what mends it, both for people. */
export interface Problem {
  readonly reason: string;
  readonly advice: string;
}

/**
 * The log's lines on an outage of what is asked again and again: a warning when it begins, one as
 * soon as another reason shows (a server that was restarted with another password first does not
 * answer and then refuses), the present one every 30 s, and a line when it is over.
 *
 * @param what such as "Kafka at 127.0.0.1:9092"
 * @param meanwhile what is still done, a sentence after the advice
 */
export function createOutageLog(
  log: Pick<Logger, 'info' | 'warn'>,
  { what, meanwhile = '' }: { readonly what: string; readonly meanwhile?: string },
) {
  /** Each is news once an outage: two that take turns are no flood. */
  const said = new Set<string>();
  let lastSaid = 0;
  return {
    lasts({ reason, advice }: Problem): void {
      const line = `${reason}: ${advice}${meanwhile}; trying on`;
      const now = Date.now();
      if (said.has(line) && now - lastSaid <= REMINDER_MS) return;
      said.add(line);
      lastSaid = now;
      log.warn(line);
    },
    over(): void {
      if (said.size === 0) return;
      said.clear();
      log.info(`${what} answers again`);
    },
  };
}
