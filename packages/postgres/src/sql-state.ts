/** Error codes of Node and Prisma for a lost or failed connection. */
const OUTAGES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // The name server is temporarily unavailable.
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

/** Error kinds of Prisma's adapter for these outages. The error of a raw query has a kind but no code. */
const OUTAGE_KINDS = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);

/**
 * Messages of pg and its pool for a lost or unavailable connection. These errors have no code. "Not
 * queryable" means that the connection was lost between two statements of a transaction.
 */
const OUTAGE_MESSAGE =
  /connection (terminated|timeout|ended)|is not queryable|timeout (expired|exceeded when trying to connect)|query read timeout|Cannot use a pool after calling end|Can't reach database|server (has )?closed the connection/i;

/**
 * SQLSTATEs of outages. The classes are 08 (connection), 53 (resources), 57 (operator intervention) and
 * 58 (system error). 25006 reports a write to a standby during a failover. 25P03 and 25P04 report that a
 * transaction exceeded the server's limit for its idle time or duration, for example because the process
 * was frozen.
 */
const OUTAGE_STATE = /^(08|53|57|58|25006|25P03|25P04)/;

/**
 * Yields an error and the errors that it wraps. Prisma wraps the driver's error in `meta`; other
 * libraries use `cause`.
 */
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

/** Returns the SQLSTATE of an error of pg or Prisma; undefined if it has none. */
export function sqlState(error: unknown): string | undefined {
  for (const fields of chain(error)) {
    const { originalCode, code } = fields;
    if (isState(originalCode)) return originalCode;
    // Node's EPIPE and Prisma's P2010 also have five characters, but they are no SQLSTATEs.
    if (isState(code) && !/^(E|P\d)/.test(code)) return code;
  }
  return undefined;
}

/** Whether PostgreSQL rejected the data (class 22 or 23, except unique violations), so that a retry cannot succeed. */
export function isInvalidData(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^2[23]/.test(state) && state !== UNIQUE_VIOLATION;
}

/**
 * SQLSTATEs of a transaction that the server has rolled back because of a concurrent one: serialization
 * failure, deadlock, and a lock that was not available within `lock_timeout`.
 */
const CONFLICT_STATES = new Set(['40001', '40P01', '55P03']);

/**
 * Whether a concurrent transaction made this one fail, so that nothing was written and a retry of the
 * whole transaction may succeed.
 */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return CONFLICT_STATES.has(state);
  for (const { code, kind } of chain(error)) {
    if (code === 'P2034' || kind === 'TransactionWriteConflict') return true;
  }
  return false;
}

export const UNIQUE_VIOLATION = '23505';

/** Whether the database is unavailable, starting, stopping or full, so that a retry may succeed. */
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
