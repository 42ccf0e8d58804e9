export interface ServiceLine {
  /**
   * The level; undefined for output that did not come from the logger, and for the end of an
   * outage.
   */
  level?: Level;
  text: string;
  /** The part of the text that says what to do. Only lines about an outage have it. */
  advice?: string;
}

const LEVELS = ['warn', 'error', 'fatal'] as const;
type Level = (typeof LEVELS)[number];

/** The message that ends an outage of a server or a consumer. The services log it at level info. */
const OUTAGE_END = / (answers|runs) again$/;

/**
 * Selects the lines of a service's output that the terminal shows: warnings, errors, and the ends
 * of outages. Lines that are not JSON of pino are shown unchanged, because most such lines come
 * from a crash. Returns undefined for a line that is not shown.
 */
export function readServiceLine(line: string): ServiceLine | undefined {
  if (line.trim() === '') return undefined;
  const entry = parse(line);
  if (!entry) return { text: line };
  const { msg, err, advice } = entry;
  if (entry['level'] === 'info' && typeof msg === 'string' && OUTAGE_END.test(msg)) {
    return { text: msg };
  }
  const level = LEVELS.find((one) => one === entry['level']);
  if (level === undefined) return undefined;
  const reason = (err as { message?: unknown } | undefined)?.message;
  const parts = [msg, reason === msg ? undefined : reason].filter(
    (part) => typeof part === 'string',
  );
  const text = parts.join(': ') || line;
  return typeof advice === 'string' ? { level, text, advice } : { level, text };
}

/** A server that `npm start` runs itself. */
export interface OwnServer {
  /** The server's address as in log lines: `127.0.0.1:9092`. */
  readonly address: string;
  readonly logFile: string;
  /** Whether the server is being restarted, or was restarted a moment ago. */
  readonly isRecovering: boolean;
}

/**
 * Adapts a service's line about an outage of a server that `npm start` runs. While the server is
 * restarted, the line is not shown, because the terminal already shows the restart. Otherwise the
 * line names the server's log, because the service's advice to start the server would be wrong.
 */
export function adaptToOwnServers(
  line: ServiceLine,
  servers: readonly OwnServer[],
): ServiceLine | undefined {
  const { level, text, advice } = line;
  const server = servers.find(({ address }) => text.includes(address));
  if (level === undefined || server === undefined) return line;
  if (server.isRecovering) return undefined;
  return advice === undefined
    ? line
    : { level, text: text.replace(advice, () => `see ${server.logFile}`) };
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
