import type { Pool, PoolClient } from 'pg';
import { type Element, encodeArray, isElementType } from './binary-array.ts';

/** A statement as Prisma.sql makes it. */
interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The raw statements of a transaction: Prisma's own, or those of `createSetWise`. */
export interface RawTransaction {
  $queryRaw<T = unknown>(query: TemplateStringsArray | Sql, ...values: unknown[]): Promise<T>;
  $executeRaw(query: TemplateStringsArray | Sql, ...values: unknown[]): Promise<number>;
  $queryRawUnsafe<T = unknown>(query: string, ...values: unknown[]): Promise<T>;
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>;
}

/** Runs work in a transaction of its own, which ends with it: committed, or undone when it throws. */
export type SetWise = <T>(work: (transaction: RawTransaction) => Promise<T>) => Promise<T>;

interface Prepared {
  readonly name: string;
  /** The element type of each parameter that is cast to an array; undefined of others. */
  readonly arrays: readonly (string | undefined)[];
}

const prepared = new Map<string, Prepared>();

/** Statements are prepared once a connection; the casts in their text tell which parameters are arrays. */
function prepare(text: string): Prepared {
  const known = prepared.get(text);
  if (known) return known;
  const arrays: (string | undefined)[] = [];
  for (const [, position, type = ''] of text.matchAll(/\$(\d+)::(\w+)\[\]/g)) {
    if (isElementType(type)) arrays[Number(position) - 1] = type;
  }
  const made = { name: `set-wise-${prepared.size + 1}`, arrays };
  prepared.set(text, made);
  return made;
}

async function run(connection: PoolClient, text: string, values: readonly unknown[]) {
  const { name, arrays } = prepare(text);
  const encoded = values.map((value, index) => {
    const type = arrays[index];
    return type === undefined ? value : encodeArray(type, value as readonly Element[]);
  });
  return connection.query({ name, text, values: encoded });
}

/**
 * Transactions of few statements that take arrays of thousands, over the pool that Prisma uses: with
 * pg alone, and arrays in binary. Through Prisma a quarter of what stock took for a backlog was its
 * handling of arrays, 8 µs an order of it quotes that PostgreSQL had to take off again.
 * @param toSql makes a statement of a template: Prisma.sql
 */
export function createSetWise(
  pool: Pool,
  toSql: (strings: readonly string[], ...values: unknown[]) => Sql,
): SetWise {
  const sqlOf = (query: TemplateStringsArray | Sql, values: readonly unknown[]): Sql =>
    'text' in query ? query : toSql(query, ...values);

  return async (work) => {
    const connection = await pool.connect();
    const transaction: RawTransaction = {
      $queryRaw: async <T>(query: TemplateStringsArray | Sql, ...given: unknown[]) => {
        const { text, values } = sqlOf(query, given);
        return (await run(connection, text, values)).rows as T;
      },
      $executeRaw: async (query, ...given) => {
        const { text, values } = sqlOf(query, given);
        return (await run(connection, text, values)).rowCount ?? 0;
      },
      $queryRawUnsafe: async <T>(text: string, ...values: unknown[]) =>
        (await run(connection, text, values)).rows as T,
      $executeRawUnsafe: async (text, ...values) =>
        (await run(connection, text, values)).rowCount ?? 0,
    };
    let broken: unknown;
    try {
      await connection.query('BEGIN');
      const result = await work(transaction);
      await connection.query('COMMIT');
      return result;
    } catch (error) {
      await connection.query('ROLLBACK').catch((lost: unknown) => {
        broken = lost;
      });
      throw error;
    } finally {
      connection.release(broken !== undefined);
    }
  };
}
