import { badUserInput } from '@gudang/runtime';
import * as z from 'zod';
import { parseArguments, parseTogether, wholeNumber } from './arguments.ts';

const PAGE_SIZE = { min: 1, max: 100 } as const;
const DEFAULT_SIZE = 20;

export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * The parsed arguments of a page. The page has at most `size` rows between the cursors `after` and
 * `before`.
 */
export interface Page<P> {
  readonly size: number;
  /** Whether the page is read from the start of the list. If false, it is read from the end. */
  readonly forward: boolean;
  readonly after: P | undefined;
  readonly before: P | undefined;
}

const size = wholeNumber(PAGE_SIZE).nullish();
const sizeArguments = z.object({ first: size, last: size });

/**
 * Parses the arguments of a connection field.
 * @param parse parses the text of a cursor; returns undefined if the text is not a cursor of this list
 * @param allowed describes the cursors of this list, for errors
 * @throws {ServiceError} BAD_USER_INPUT
 */
export function parsePage<P>(
  given: PageArguments,
  parse: (cursor: string) => P | undefined,
  allowed = 'a cursor that this list has given',
): Page<P> {
  const cursorOf = (argument: 'after' | 'before') => (): P | undefined => {
    const cursor = given[argument];
    if (cursor == null) return undefined;
    const parsed = parse(cursor);
    if (parsed === undefined) throw badUserInput(argument, allowed);
    return parsed;
  };
  const { sizes, after, before } = parseTogether({
    sizes: () => {
      const sizes = parseArguments(sizeArguments, given);
      const isTwice = sizes.first != null && sizes.last != null;
      if (isTwice) throw badUserInput('last', 'absent when `first` is given');
      return sizes;
    },
    after: cursorOf('after'),
    before: cursorOf('before'),
  });
  return {
    size: sizes.first ?? sizes.last ?? DEFAULT_SIZE,
    forward: sizes.last == null,
    after,
    before,
  };
}

/** A page of a list, whose parts are made when they are read: most operations read one of them. */
export interface Connection<T> {
  readonly edges: { cursor: string; node: T }[];
  readonly nodes: T[];
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

/**
 * Creates a connection from the rows of a page.
 * @param found up to `size + 1` rows in the direction of reading; the additional row shows that there are
 *   more rows
 */
export function toConnection<T>(
  page: Page<unknown>,
  found: readonly T[],
  cursorOf: (row: T) => string,
): Connection<T> {
  const more = found.length > page.size;
  const nodes = found.slice(0, page.size);
  if (!page.forward) nodes.reverse();
  const cursorAt = (index: number): string | null => {
    const row = nodes.at(index);
    return row === undefined ? null : cursorOf(row);
  };
  return {
    nodes,
    get edges() {
      return nodes.map((node) => ({ cursor: cursorOf(node), node }));
    },
    get pageInfo() {
      return {
        hasNextPage: page.forward ? more : page.before !== undefined,
        hasPreviousPage: page.forward ? page.after !== undefined : more,
        startCursor: cursorAt(0),
        endCursor: cursorAt(-1),
      };
    },
  };
}

/** A cursor of a list that is sorted by time, then id. */
export interface KeysetCursor {
  readonly at: Date;
  readonly id: string;
}

/** @param list a prefix that distinguishes the cursors of this list from the cursors of other lists */
export function formatKeysetCursor(list: string, { at, id }: KeysetCursor): string {
  return Buffer.from(`${list}${at.getTime().toString(36)},${id}`).toString('base64url');
}

export function parseKeysetCursor(list: string, cursor: string): KeysetCursor | undefined {
  if (!/^[\w-]{1,600}$/.test(cursor)) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  const comma = text.indexOf(',');
  if (comma < 1) return undefined;
  if (!text.startsWith(list)) return undefined;
  const at = text.slice(list.length, comma);
  const id = text.slice(comma + 1);
  if (!/^[0-9a-z]{1,9}$/.test(at) || id === '' || id.includes('\u0000')) return undefined;
  const time = Number.parseInt(at, 36);
  return time <= 8.64e15 ? { at: new Date(time), id } : undefined;
}
