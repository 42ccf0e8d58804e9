import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { SECRET_PATHS, withoutSecrets } from './redaction.ts';

export type { Logger } from 'pino';

/**
 * One JSON line an event; readable lines when the output is a terminal. Passwords and tokens are left
 * out, and so are those of URLs.
 * @param stream in place of the process's output
 */
export function createLogger(name: string, level: string, stream?: DestinationStream): Logger {
  const pretty = stream === undefined && process.stdout.isTTY === true;
  const options: LoggerOptions = {
    name,
    level,
    redact: SECRET_PATHS,
    hooks: { streamWrite: withoutSecrets },
    formatters: { level: (label, number) => ({ level: number, severity: label }) },
    ...(pretty
      ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,severity' } } }
      : {}),
  };
  if (pretty) return pino(options);
  // Written at once: pino's own output keeps lines, and at the end of a process whose output nobody
  // reads any more it tries to write them for ever.
  return pino(options, stream ?? pino.destination({ dest: 1, sync: true }));
}

/** A URL fit for a log or a message: without its user and password. */
export function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return 'an address that is no URL';
  const parsed = new URL(address);
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  return parsed.toString();
}
