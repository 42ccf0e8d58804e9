import { type Logger, ServiceError } from '@gudang/runtime';
import { EXPIRED } from './token-error.ts';

/** Time for which refusals with the same reason are counted before the next log line, in milliseconds. */
export const REFUSALS_EVERY_MS = 30_000;

/** Records the error of a request. Errors that do not concern the caller's token are ignored. */
export type RefusalLog = (error: unknown) => void;

/**
 * Creates a log of refused tokens and tickets. The first refusal for a reason is logged at once. Further
 * refusals for this reason are counted, and their number is logged after 30 s. A line never contains the
 * token. Refusals of expired tokens have the level info, because they are part of normal operation.
 */
export function createRefusalLog(log: Pick<Logger, 'info' | 'warn'>): RefusalLog {
  /** Refusals since the last line, by error message. There are about 15 messages. */
  const counts = new Map<string, number>();
  const write = (refused: string, message: string): void => {
    const line = `Refused ${refused}: ${message}`;
    if (message.endsWith(EXPIRED)) log.info(line);
    else log.warn(line);
  };
  const countAgain = (message: string): void => {
    counts.set(message, 0);
    setTimeout(() => {
      const count = counts.get(message) ?? 0;
      counts.delete(message);
      if (count === 0) return;
      write(`${count} more in ${REFUSALS_EVERY_MS / 1000} s`, message);
      countAgain(message);
    }, REFUSALS_EVERY_MS).unref();
  };
  return (error) => {
    if (!(error instanceof ServiceError) || error.code !== 'UNAUTHENTICATED') return;
    const { message } = error;
    const count = counts.get(message);
    if (count !== undefined) {
      counts.set(message, count + 1);
      return;
    }
    write('a request', message);
    countAgain(message);
  };
}
