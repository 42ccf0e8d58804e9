/**
 * The databases of the system. Each database has a folder in this package, a setting with its address, and
 * an optional setting with its address without a pooler.
 */
export const databases = {
  order: { setting: 'ORDER_DATABASE_URL', direct: 'ORDER_DATABASE_DIRECT_URL' },
  stock: { setting: 'STOCK_DATABASE_URL', direct: 'STOCK_DATABASE_DIRECT_URL' },
} as const;

export type DatabaseName = keyof typeof databases;

/**
 * The error of a migration that failed for a reason that the user can correct. The message contains the
 * correction; no stack trace is shown.
 */
export class MigrateError extends Error {
  override readonly name = 'MigrateError';
}
