export interface ServiceLine {
  /**
   * The level; undefined for output that did not come from the logger, and for the end of an
   * outage.
   */
  level?: 'warn' | 'error' | 'fatal';
  text: string;
}

const INFO = 30;
const WARN = 40;
const ERROR = 50;
const FATAL = 60;

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
  const { level, msg, err } = entry;
  if (level === INFO && typeof msg === 'string' && OUTAGE_END.test(msg)) return { text: msg };
  if (typeof level !== 'number' || level < WARN) return undefined;
  const reason = (err as { message?: unknown } | undefined)?.message;
  const parts = [msg, reason === msg ? undefined : reason].filter(
    (part) => typeof part === 'string',
  );
  return { level: nameOf(level), text: parts.join(': ') || line };
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function nameOf(level: number): 'warn' | 'error' | 'fatal' {
  if (level >= FATAL) return 'fatal';
  return level >= ERROR ? 'error' : 'warn';
}
