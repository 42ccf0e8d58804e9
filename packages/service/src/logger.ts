import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const REDACTED = ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization'];

/** One JSON line an event; readable lines when the output is a terminal. */
export function createLogger(name: string, level: string): Logger {
  const pretty = process.stdout.isTTY === true;
  return pino({
    name,
    level,
    redact: REDACTED,
    formatters: { level: (label, number) => ({ level: number, severity: label }) },
    ...(pretty
      ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname,severity' } } }
      : {}),
  });
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
