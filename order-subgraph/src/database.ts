import {
  createDatabase,
  type DatabaseOptions,
  type RawTransaction,
  type Statements,
} from '@gudang/postgres';
import { Prisma, PrismaClient } from './generated/prisma/client.ts';

/** Prisma's client for order_db, and prepared statements on the same connections. */
export type Database = PrismaClient & Statements;
/** A transaction that `database.transaction` or Prisma started. */
export type Transaction = RawTransaction;

/** Creates a connection pool for order_db. The first statement opens the first connection. */
export function openDatabase(options: DatabaseOptions): Database {
  return createDatabase(
    { ...options, name: 'order-subgraph' },
    (prismaOptions) => new PrismaClient(prismaOptions),
    Prisma.sql,
  );
}
