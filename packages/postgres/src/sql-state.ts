/** Connection failures as Node and Prisma name them. */
const OUTAGES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A name server that is away for the moment.
  'EAI_AGAIN',
  'P1001',
  'P1002',
  'P1008',
  'P1011',
  'P1017',
  'P2024',
  'P2028',
  'P2037',
]);

/** What Prisma's adapter makes of the same; a raw query's error carries nothing else that tells. */
const OUTAGE_KINDS = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);

/**
 * What pg and its pool say of a connection that they lost or do not get; it carries no code. "Not queryable": it was
 * lost between two statements of a transaction, when no statement was there to be told why.
 */
const OUTAGE_MESSAGE =
  /connection (terminated|timeout|ended)|is not queryable|timeout (expired|exceeded when trying to connect)|query read timeout|Cannot use a pool after calling end|Can't reach database|server (has )?closed the connection/i;

/**
 * 08 connection, 53 resources, 57 operator, 58 system. 25006: a standby that was written to in the middle of a
 * failover. 25P03 and 25P04: a transaction that stood still, or took, longer than the server lets it, as one of a
 * process that was frozen.
 */
const OUTAGE_STATE = /^(08|53|57|58|25006|25P03|25P04)/;

/** An error and every one below it: Prisma wraps the driver's in `meta`, others in `cause`. */
export function* chain(error: unknown): Generator<Record<string, unknown>> {
  const seen = new Set<unknown>();
  const queue: unknown[] = [error];
  while (queue.length > 0) {
    const next = queue.shift();
    if (typeof next !== 'object' || next === null || seen.has(next)) continue;
    seen.add(next);
    const fields = next as Record<string, unknown>;
    yield fields;
    queue.push(fields['cause'], fields['meta'], fields['driverAdapterError']);
  }
}

function isState(code: unknown): code is string {
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
}

/** PostgreSQL's SQLSTATE in an error of pg or of Prisma, if it has one. */
export function sqlState(error: unknown): string | undefined {
  for (const fields of chain(error)) {
    const { originalCode, code } = fields;
    if (isState(originalCode)) return originalCode;
    // Node's EPIPE and Prisma's P2010 have five characters too.
    if (isState(code) && !/^(E|P\d)/.test(code)) return code;
  }
  return undefined;
}

/** Refused because of its data (class 22 or 23 but for a repeat): the same again cannot help. */
export function isInvalidData(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^2[23]/.test(state) && state !== UNIQUE_VIOLATION;
}

export const UNIQUE_VIOLATION = '23505';

/** The database is away, starting, stopping or full: the same again may succeed later. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return OUTAGE_STATE.test(state);
  for (const { code, kind, message } of chain(error)) {
    if (typeof kind === 'string' && OUTAGE_KINDS.has(kind)) return true;
    if (typeof code === 'string' && OUTAGES.has(code)) return true;
    if (typeof message === 'string' && OUTAGE_MESSAGE.test(message)) return true;
  }
  return false;
}
