import type { StockState } from '@gudang/events';
import {
  formatKeysetCursor,
  type KeysetCursor,
  type Page,
  type PageArguments,
  parseKeysetCursor,
  parsePage,
  textOf,
} from '@gudang/subgraph';

/** The position of a stock in a list by name. */
export interface NamePosition {
  readonly name: string;
  readonly id: string;
}

/** The position of a stock in a list by quantity. */
export interface QuantityPosition {
  readonly quantity: number;
  readonly id: string;
}

/** The arguments of a page of stocks, with its sort. */
export type StockPage =
  | { readonly sort: 'CREATED_DESC'; readonly page: Page<KeysetCursor> }
  | { readonly sort: 'NAME_ASC'; readonly page: Page<NamePosition> }
  | { readonly sort: 'QUANTITY_ASC'; readonly page: Page<QuantityPosition> };

export type StockSort = StockPage['sort'];

/** The prefixes distinguish the cursors of each sort. */
const PREFIXES = { CREATED_DESC: 's:', NAME_ASC: 'sn:', QUANTITY_ASC: 'sq:' } as const;

/** Length of the longest cursor: a name and an id whose characters take 4 bytes each. */
const MAX_CURSOR = 2_000;

/**
 * Parses the arguments of a page of stocks.
 * @throws {ServiceError} BAD_USER_INPUT, also for a cursor of another sort
 */
export function parseStockPage(sort: StockSort, args: PageArguments): StockPage {
  const allowed = `a cursor that this list has given with the sort ${sort}`;
  switch (sort) {
    case 'CREATED_DESC': {
      const parse = (cursor: string) => parseKeysetCursor(PREFIXES[sort], cursor);
      return { sort, page: parsePage(args, parse, allowed) };
    }
    case 'NAME_ASC':
      return { sort, page: parsePage(args, parseNamePosition, allowed) };
    case 'QUANTITY_ASC':
      return { sort, page: parsePage(args, parseQuantityPosition, allowed) };
  }
}

export function formatStockCursor(sort: StockSort, stock: StockState): string {
  const { createdAt: at, id, name, quantity } = stock;
  if (sort === 'CREATED_DESC') return formatKeysetCursor(PREFIXES[sort], { at, id });
  return format(sort, sort === 'NAME_ASC' ? [name, id] : [quantity, id]);
}

function format(sort: StockSort, values: readonly unknown[]): string {
  return Buffer.from(PREFIXES[sort] + JSON.stringify(values)).toString('base64url');
}

function parseNamePosition(cursor: string): NamePosition | undefined {
  const [name, id] = parseValues('NAME_ASC', cursor) ?? [];
  return isText(name) && isText(id) ? { name, id } : undefined;
}

function parseQuantityPosition(cursor: string): QuantityPosition | undefined {
  const [quantity, id] = parseValues('QUANTITY_ASC', cursor) ?? [];
  const isQuantity = typeof quantity === 'number' && quantity === (quantity | 0) && quantity >= 0;
  return isQuantity && isText(id) ? { quantity, id } : undefined;
}

function parseValues(sort: StockSort, cursor: string): unknown[] | undefined {
  if (cursor.length > MAX_CURSOR || !/^[\w-]+$/.test(cursor)) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const prefix = PREFIXES[sort];
  if (!text.startsWith(prefix)) return undefined;
  try {
    const values: unknown = JSON.parse(text.slice(prefix.length));
    return Array.isArray(values) && values.length === 2 ? values : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return textOf({ min: 1, max: 255 }).safeParse(value).success;
}
