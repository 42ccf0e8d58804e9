import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { SECRET_PATHS, withoutSecrets } from './redaction.ts';

export type { Logger } from 'pino';

/**
 * Creates a logger. It writes JSON lines, or readable lines if stdout is a terminal. Passwords and tokens
 * are redacted, also in URLs.
 * @param stream the destination. Default: stdout
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
  // Write synchronously: pino's default destination buffers lines. If the reader of stdout has ended, a
  // process that exits would try indefinitely to write them.
  return pino(options, stream ?? pino.destination({ dest: 1, sync: true }));
}

/** Returns a URL for logs and messages, without user, password and query. */
export function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return 'an address that is not a URL';
  const parsed = new URL(address);
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  return parsed.toString();
}
