/** Why a database could not be migrated, in words for whoever ran the command: no stack trace is needed. */
export class MigrateError extends Error {
  override readonly name = 'MigrateError';
}
