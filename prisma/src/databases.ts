/** The databases of the system. Each has a folder in this package and a setting with its address. */
export const databases = {
  order: { setting: 'ORDER_DATABASE_URL' },
  stock: { setting: 'STOCK_DATABASE_URL' },
} as const;

export type DatabaseName = keyof typeof databases;

/** A migration failed for a reason that the user can correct. The message says how; no stack is shown. */
export class MigrateError extends Error {
  override readonly name = 'MigrateError';
}
