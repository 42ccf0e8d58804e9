import {
  type DestinationStream,
  type Logger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from 'pino';
import { SECRET_PATHS, withoutSecrets } from './redaction.ts';

export type { Logger } from 'pino';

/**
 * Creates a logger. It writes JSON lines such as
 * `{"level":"warn","time":"2026-11-28T09:15:02.114Z","pid":7,"hostname":"a","name":"gateway","msg":"…"}`.
 * It redacts passwords and tokens, also in URLs.
 * @param stream the destination. Default: stdout
 */
export function createLogger(name: string, level: string, stream?: DestinationStream): Logger {
  const options: LoggerOptions = {
    name,
    level,
    redact: SECRET_PATHS,
    hooks: { streamWrite: withoutSecrets },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  // The destination is synchronous because pino's default destination buffers lines. If the reader of
  // stdout has ended, an exiting process would try indefinitely to write the buffered lines.
  return pino(options, stream ?? pino.destination({ dest: 1, sync: true }));
}

/**
 * Creates a destination that writes human-readable lines to stdout. pino's transport for them runs in a
 * thread that loads its modules from node_modules, which a bundled service does not have.
 */
export async function createReadableLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ ignore: 'pid,hostname', destination: 1, sync: true });
}

/** Returns a URL without its user, password and query, for logs and messages. */
export function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return 'an address that is not a URL';
  const parsed = new URL(address);
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  return parsed.toString();
}
