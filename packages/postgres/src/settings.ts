import { integer, type Setting } from '@gudang/runtime/settings';

/** Settings of each process that has a database. */
export const databaseSettings = {
  DATABASE_POOL: {
    description: 'Maximum number of database connections of this process',
    parse: integer(2, 200),
    default: '10',
  },
} as const satisfies Record<string, Setting>;
