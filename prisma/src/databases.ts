/** The databases of the system: each has a folder here, and the setting that says where it is. */
export const databases = {
  order: { setting: 'ORDER_DATABASE_URL' },
  stock: { setting: 'STOCK_DATABASE_URL' },
} as const;

export type DatabaseName = keyof typeof databases;
