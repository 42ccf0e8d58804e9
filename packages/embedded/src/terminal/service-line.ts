export interface ServiceLine {
  /** Absent from what did not come from the logger. */
  level?: 'warn' | 'error' | 'fatal';
  text: string;
}

const WARN = 40;
const ERROR = 50;
const FATAL = 60;

/**
 * What a person should see of one line of a service's output: warnings and worse, in short. Lines that are not pino's
 * JSON are shown as they are, for what bypasses the logger is most often a crash. Undefined when there is nothing to show.
 */
export function readServiceLine(line: string): ServiceLine | undefined {
  if (line.trim() === '') return undefined;
  const entry = parse(line);
  if (!entry) return { text: line };
  const { level, msg, err } = entry;
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
