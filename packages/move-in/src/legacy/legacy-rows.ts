import pg from 'pg';
import { MoveInError } from '../cli.ts';
import { connect, labelOf } from '../connect.ts';

/** A row of the legacy table of stocks. Texts are as stored, because the table has few constraints. */
export interface LegacyStock {
  readonly id: string;
  readonly name: string | null;
  readonly quantity: string | null;
}

/** A row of the legacy table of orders. */
export interface LegacyOrder {
  readonly id: string;
  readonly productId: string | null;
  readonly quantity: string | null;
  /** Null if the table has no such column. */
  readonly createdAt: Date | null;
}

/** A column of a row type, with the column names that it is recognized by. */
interface Column {
  readonly field: string;
  /** Names in lower case, without underscores. */
  readonly names: readonly string[];
  readonly type: 'text' | 'timestamptz';
  readonly required: boolean;
}

const text = (field: string, ...names: readonly string[]): Column => ({
  field,
  names,
  type: 'text',
  required: true,
});
const TABLES = {
  stocks: [text('id', 'id'), text('name', 'name'), text('quantity', 'quantity')],
  orders: [
    text('id', 'id'),
    text('productId', 'productid'),
    text('quantity', 'quantity'),
    { field: 'createdAt', names: ['createdat'], type: 'timestamptz', required: false },
  ],
} as const satisfies Record<string, readonly Column[]>;

/** Reads all stocks that are not deleted. @throws {MoveInError} if the database has no such table */
export function readLegacyStocks(url: string): Promise<LegacyStock[]> {
  return readTable<LegacyStock>(url, '--stock-db', 'stocks');
}

/** Reads all orders that are not deleted. @throws {MoveInError} if the database has no such table */
export function readLegacyOrders(url: string): Promise<LegacyOrder[]> {
  return readTable<LegacyOrder>(url, '--order-db', 'orders');
}

async function readTable<T>(url: string, option: string, table: keyof typeof TABLES): Promise<T[]> {
  const client = await connect(url, option);
  try {
    const present = await columnsOf(client, table);
    const where = `The table ${table} of ${labelOf(url)}`;
    if (present.size === 0) throw new MoveInError(`${where} does not exist. Check ${option}`);
    if (present.has('version') || present.has('idempotencykey')) {
      throw new MoveInError(
        `${where} belongs to Gudang, not to the legacy system. Check ${option}`,
      );
    }
    const selected = TABLES[table].map((column: Column) => {
      const name = column.names.map((one) => present.get(one)).find((one) => one !== undefined);
      if (name === undefined && column.required) {
        throw new MoveInError(
          `${where} has no column for ${column.field}; its columns are ${[...present.values()].join(', ')}`,
        );
      }
      const value = name === undefined ? 'NULL' : pg.escapeIdentifier(name);
      return `${value}::${column.type} AS ${pg.escapeIdentifier(column.field)}`;
    });
    // GORM marks deleted rows in this column.
    const deleted = present.get('deletedat');
    const filter = deleted === undefined ? '' : `WHERE ${pg.escapeIdentifier(deleted)} IS NULL`;
    const { rows } = await client.query(
      `SELECT ${selected.join(', ')} FROM ${pg.escapeIdentifier(table)} ${filter} ORDER BY 1`,
    );
    return rows as T[];
  } finally {
    await client.end();
  }
}

/** Returns the columns of a table, by their names in lower case without underscores. */
async function columnsOf(client: pg.Client, table: string): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = to_regclass(quote_ident($1)) AND attnum > 0 AND NOT attisdropped
     ORDER BY attnum`,
    [table],
  );
  return new Map(rows.map(({ name }) => [name.toLowerCase().replaceAll('_', ''), name]));
}
