import { integer, type Setting } from '@gudang/runtime/settings';

/** Settings of every process that owns a database. */
export const databaseSettings = {
  DATABASE_POOL: {
    description: 'The most database connections this process opens for its work',
    parse: integer(2, 200),
    default: '10',
  },
} as const satisfies Record<string, Setting>;
