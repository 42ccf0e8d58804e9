import type { StockState } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import type { Database } from '../database.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { STOCK_COLUMNS } from './lock-stocks.ts';
import type { NamePosition, QuantityPosition, StockPage } from './stock-cursors.ts';

/** Conditions on the stocks of a list. All of them must hold. */
export interface StockFilter {
  /** Text in the name or in the id. */
  readonly search?: string | null | undefined;
  readonly quantityAtMost?: number | null | undefined;
}

/**
 * Finds a page of stocks that are not deleted.
 * @returns up to `size + 1` rows, in the direction of reading
 */
export function findStockPage(
  database: Database,
  sorted: StockPage,
  filter: StockFilter,
): Promise<StockState[]> {
  // These queries are raw SQL because Prisma cannot compare rows, such as `(a, b) < (c, d)`. With an
  // equivalent OR condition, PostgreSQL could not start an index scan at the cursor.
  const client = isPlain(sorted, filter) ? database.statements : database.unprepared;
  return client.$queryRaw<StockState[]>(statementOf(sorted, filter));
}

/**
 * Whether one plan is the best for all values: a scan of the index of the sort. The statement of a list by
 * quantity has too many forms.
 */
function isPlain({ sort, page }: StockPage, { search, quantityAtMost }: StockFilter): boolean {
  if (sort === 'QUANTITY_ASC' || (page.after && page.before)) return false;
  return search == null && quantityAtMost == null;
}

/** The limit is a part of the text, so that PostgreSQL knows it when it plans a prepared statement. */
function limitOf({ size }: Page<unknown>): Prisma.Sql {
  return Prisma.sql`LIMIT ${Prisma.raw(String(size + 1))}`;
}

function statementOf({ sort, page }: StockPage, filter: StockFilter): Prisma.Sql {
  switch (sort) {
    case 'CREATED_DESC':
      return byCreation(page, filter);
    case 'NAME_ASC':
      return byName(page, filter);
    case 'QUANTITY_ASC':
      return byQuantity(page, filter);
  }
}

function byCreation(page: Page<KeysetCursor>, filter: StockFilter): Prisma.Sql {
  const { forward, after, before } = page;
  const row = ({ at, id }: KeysetCursor) => Prisma.sql`(${at}::timestamptz, ${id})`;
  return Prisma.sql`
    SELECT ${STOCK_COLUMNS} FROM stocks WHERE deleted_at IS NULL ${matching(filter)}
    ${after ? Prisma.sql`AND (created_at, id) < ${row(after)}` : Prisma.empty}
    ${before ? Prisma.sql`AND (created_at, id) > ${row(before)}` : Prisma.empty}
    ${forward ? Prisma.sql`ORDER BY created_at DESC, id DESC` : Prisma.sql`ORDER BY created_at, id`}
    ${limitOf(page)}`;
}

function byName(page: Page<NamePosition>, filter: StockFilter): Prisma.Sql {
  const { forward, after, before } = page;
  const row = ({ name, id }: NamePosition) => Prisma.sql`(lower(${name}::text) COLLATE "C", ${id})`;
  const direction = directionOf(forward);
  return Prisma.sql`
    SELECT ${STOCK_COLUMNS} FROM stocks WHERE deleted_at IS NULL ${matching(filter)}
    ${after ? Prisma.sql`AND (lower(name) COLLATE "C", id) > ${row(after)}` : Prisma.empty}
    ${before ? Prisma.sql`AND (lower(name) COLLATE "C", id) < ${row(before)}` : Prisma.empty}
    ORDER BY lower(name) COLLATE "C" ${direction}, id ${direction} ${limitOf(page)}`;
}

/**
 * Level 0 is read apart, because only there the order of the index is the order of the list. The rows of
 * another level are sorted.
 * Its cost therefore grows with the number of stocks of about the same quantity: a page takes 4 ms of PostgreSQL's time
 * if 6,000 stocks are within one level, and 106 ms if 200,000 stocks all have the quantity 100.
 */
function byQuantity(page: Page<QuantityPosition>, filter: StockFilter): Prisma.Sql {
  const { forward, after, before } = page;
  const direction = directionOf(forward);
  const select = Prisma.sql`
    SELECT ${STOCK_COLUMNS} FROM stocks WHERE deleted_at IS NULL ${matching(filter)}`;
  const limit = limitOf(page);
  const parts: Prisma.Sql[] = [];
  if (!after || after.quantity === 0) {
    const until = before?.quantity === 0 ? before : undefined;
    parts.push(Prisma.sql`(${select} AND quantity_level = 0
      ${after ? Prisma.sql`AND id > ${after.id}` : Prisma.empty}
      ${until ? Prisma.sql`AND id < ${until.id}` : Prisma.empty}
      ORDER BY id ${direction} ${limit})`);
  }
  if (before?.quantity !== 0 && filter.quantityAtMost !== 0) {
    const from = after && after.quantity > 0 ? after : undefined;
    parts.push(Prisma.sql`(${select} AND quantity_level >= ${from ? levelOf(from.quantity) : 1}
      ${from ? Prisma.sql`AND (quantity, id) > (${from.quantity}, ${from.id})` : Prisma.empty}
      ${
        before
          ? Prisma.sql`AND quantity_level <= ${levelOf(before.quantity)}
              AND (quantity, id) < (${before.quantity}, ${before.id})`
          : Prisma.empty
      }
      ORDER BY quantity_level ${direction}, quantity ${direction}, id ${direction} ${limit})`);
  }
  if (parts.length === 0) return Prisma.sql`${select} AND false`;
  return Prisma.sql`SELECT * FROM (${Prisma.join(parts, ' UNION ALL ')}) AS part
    ORDER BY quantity ${direction}, id ${direction} ${limit}`;
}

/** The value of the column `quantity_level`, which a trigger sets. */
function levelOf(quantity: number): number {
  return Math.floor(Math.sqrt(quantity));
}

function directionOf(forward: boolean): Prisma.Sql {
  return forward ? Prisma.sql`ASC` : Prisma.sql`DESC`;
}

function matching({ search, quantityAtMost }: StockFilter): Prisma.Sql {
  const found =
    search == null
      ? Prisma.empty
      : Prisma.sql`AND (name ILIKE ${containsPattern(search)} OR id ILIKE ${containsPattern(search)})`;
  // The level is in the index, and the quantity decides.
  const low =
    quantityAtMost == null
      ? Prisma.empty
      : Prisma.sql`AND quantity_level <= ${levelOf(quantityAtMost)} AND quantity <= ${quantityAtMost}`;
  return Prisma.sql`${found} ${low}`;
}

/** Returns a LIKE pattern that matches texts with `search` in them. Wildcards in `search` are escaped. */
function containsPattern(search: string): string {
  return `%${search.replace(/[\\%_]/g, '\\$&')}%`;
}
