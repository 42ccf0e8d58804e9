import {
  createDatabase,
  type DatabaseOptions,
  type RawTransaction,
  type Statements,
} from '@gudang/postgres';
import { Prisma, PrismaClient } from './generated/prisma/client.ts';

/** Prisma's client for stock_db, and prepared statements on the same connections. */
export type Database = PrismaClient & Statements;
/** A transaction that `database.transaction` or Prisma started. */
export type Transaction = RawTransaction;

/** Creates a connection pool for stock_db. The first statement opens the first connection. */
export function openDatabase(options: DatabaseOptions): Database {
  return createDatabase(
    { ...options, name: 'stock-subgraph' },
    (prismaOptions) => new PrismaClient(prismaOptions),
    Prisma.sql,
  );
}
