/**
 * Defaults of sessions that change what statements mean or return. Administrators set such defaults for a
 * server, a database or a role, usually for other programs.
 */
export const UNUSUAL_SESSION_DEFAULTS = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'iso_8601',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  client_encoding: 'LATIN1',
  search_path: 'pg_catalog',
  default_transaction_isolation: 'serializable',
  synchronous_commit: 'off',
  statement_timeout: '60000',
  lock_timeout: '50s',
  idle_in_transaction_session_timeout: '40s',
  idle_session_timeout: '30s',
} as const;
