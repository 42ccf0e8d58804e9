import {
  createDatabase,
  type DatabaseOptions,
  type RawTransaction,
  type Statements,
} from '@gudang/postgres';
import { Prisma, PrismaClient } from './generated/prisma/client.ts';

/** Prisma's client for stock_db, and prepared statements over the same connections. */
export type Database = PrismaClient & Statements;
/** A transaction of `database.transaction` or of Prisma. */
export type Transaction = RawTransaction;

/** Creates a pool for stock_db. The first connection is opened at the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  return createDatabase(
    { ...options, name: 'stock-subgraph' },
    (prismaOptions) => new PrismaClient(prismaOptions),
    Prisma.sql,
  );
}
