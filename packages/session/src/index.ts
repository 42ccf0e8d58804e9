import pg from 'pg';

/** Limits of a session, in milliseconds. 0: no limit. */
export interface SessionLimits {
  /** Maximum duration of a statement, including waits for locks. Default: 0. */
  readonly statement?: number;
  /** Maximum idle time within a transaction. Default: 0. */
  readonly idleInTransaction?: number;
  /** Maximum idle time outside a transaction. Default: 0. */
  readonly idle?: number;
}

/**
 * Settings that change the meaning of a statement or of its result. Roles, databases and servers may have
 * other defaults.
 */
const PINNED: Readonly<Record<string, string>> = {
  // Prisma's adapter sends times without an offset, and drops the offset of the times that it receives.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  client_encoding: 'UTF8',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  // With `off`, NULL in an array parameter would be read as the text 'NULL'.
  array_nulls: 'on',
  transform_null_equals: 'off',
  // Transactions read rows again after they have locked them, and must then see other commits.
  default_transaction_isolation: 'read committed',
  lock_timeout: '0',
};

/** Returns the PostgreSQL schema of a URL, from Prisma's parameter `?schema=`. Default: `public`. */
export function schemaOf(url: string): string {
  return new URL(url).searchParams.get('schema') || 'public';
}

/** The row that the statement of `sessionStatement` returns. */
export interface SessionRow {
  /** Process id of the server process that ran the statement. */
  readonly backend: number;
}

/**
 * Returns the statement that pins the settings of a session. It must run on each new connection, before
 * all other statements. The settings are not sent as start-up parameters, because poolers refuse
 * connections with start-up parameters that they do not know. `search_path` is the schema alone, so that
 * tables of another schema are never used instead of missing ones.
 *
 * `synchronous_commit = off` becomes `on`, because an acknowledged change must survive a crash of the
 * server. Other values are kept: they state for which replicas a commit waits.
 */
export function sessionStatement(schema: string, limits: SessionLimits = {}): string {
  const settings = {
    ...PINNED,
    search_path: pg.escapeIdentifier(schema),
    statement_timeout: String(limits.statement ?? 0),
    idle_in_transaction_session_timeout: String(limits.idleInTransaction ?? 0),
    idle_session_timeout: String(limits.idle ?? 0),
  };
  const values = Object.entries(settings).map(
    ([name, value]) => `set_config('${name}', ${pg.escapeLiteral(value)}, false)`,
  );
  return `SELECT ${values.join(', ')},
    set_config('synchronous_commit', COALESCE(
      NULLIF(current_setting('synchronous_commit'), 'off'), 'on'), false),
    pg_backend_pid() AS backend`;
}

/** Pins the settings of a new connection with one statement. @throws the driver's error */
export async function pinSession(
  connection: Pick<pg.ClientBase, 'query'>,
  url: string,
  limits?: SessionLimits,
): Promise<SessionRow> {
  const { rows } = await connection.query<SessionRow & pg.QueryResultRow>(
    sessionStatement(schemaOf(url), limits),
  );
  return rows[0] as SessionRow;
}
