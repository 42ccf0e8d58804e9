/** A migration failed for a reason that the user can correct. The message says how; no stack is shown. */
export class MigrateError extends Error {
  override readonly name = 'MigrateError';
}
