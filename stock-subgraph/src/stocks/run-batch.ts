import type { StockState } from '@gudang/events';
import { ServiceError } from '@gudang/runtime';
import { parseArguments } from '@gudang/subgraph';
import type { Transaction } from '../database.ts';
import { type ChangeContext, decodeStock, encodeStock, runChange } from './run-change.ts';
import { batchArguments } from './stock-arguments.ts';
import { type LedgerChange, writeLedger, writeStocks } from './write-changes.ts';

/** The result of one item of a batch. */
export type ItemResult =
  | { readonly stock: StockState; readonly error: null }
  | { readonly stock: null; readonly error: ItemError };

export interface ItemError {
  readonly code: string;
  readonly message: string;
  readonly argument: string | null;
}

/** A batch that is applied item by item to the locked rows, in memory. */
export interface Applied {
  /** One result for each item, in the order of the items. */
  readonly results: readonly ItemResult[];
  /** The ids of stocks whose rows are new in this transaction. */
  readonly inserted: ReadonlySet<string>;
  readonly changes: readonly ItemChange[];
}

/**
 * Parses an item. The paths of its arguments in errors begin with `at`.
 * @throws {ServiceError} BAD_USER_INPUT
 */
export type ParseItem<T> = (item: unknown, at: string) => T;

/** A change of a batch. */
export type ItemChange = Omit<LedgerChange, 'by' | 'traceparent'>;

/** Rolls the transaction of a batch back, and carries its results. */
class NothingApplied extends Error {
  readonly results: readonly ItemResult[];

  constructor(results: readonly ItemResult[]) {
    super('An item of the batch has an error');
    this.results = results;
  }
}

/** An item as it was parsed, or its error. */
export type Parsed<T> =
  | { readonly item: T; readonly at: string }
  | { readonly error: ServiceError };

/**
 * Runs a batch in one transaction, once for each idempotency key.
 * @param parse parses an item; an error that it throws is the item's result
 * @param apply applies the parsed items to the locked rows, in their order
 * @returns one result for each item
 * @throws {ServiceError} BAD_USER_INPUT if the list is empty or too long; IDEMPOTENCY_CONFLICT
 */
export async function runBatch<T>(
  context: ChangeContext,
  mutation: string,
  unchecked: unknown,
  parse: ParseItem<T>,
  apply: (transaction: Transaction, items: readonly Parsed<T>[]) => Promise<Applied>,
): Promise<readonly ItemResult[]> {
  const input = parseArguments(batchArguments, unchecked);
  const items = input.inputs.map((item, index): Parsed<T> => {
    const at = `inputs[${index}]`;
    try {
      return { item: parse(item, at), at };
    } catch (error) {
      return { error: itemError(error) };
    }
  });
  const { traceparent, identity } = context;
  try {
    return await runChange(context, { mutation, input }, resultsCodec, async (transaction) => {
      const { results, inserted, changes } = await apply(transaction, items);
      if (input.allOrNothing && results.some(({ error }) => error))
        throw new NothingApplied(results);
      await writeStocks(
        transaction,
        changes.filter(({ stock }) => !inserted.has(stock.id)),
      );
      const by = identity?.subject;
      await writeLedger(
        transaction,
        changes.map((change) => ({ ...change, by, traceparent })),
      );
      return results;
    });
  } catch (error) {
    if (error instanceof NothingApplied) return error.results.map(withoutStock);
    throw error;
  }
}

const resultsCodec = {
  encode: (results: readonly ItemResult[]): unknown =>
    results.map(({ stock, error }) => (stock ? { stock: encodeStock(stock) } : { error })),
  decode: (stored: readonly StoredResult[]): readonly ItemResult[] =>
    stored.map(({ stock, error }) =>
      stock
        ? { stock: decodeStock(stock), error: null }
        : { stock: null, error: error as ItemError },
    ),
};

interface StoredResult {
  readonly stock?: Parameters<typeof decodeStock>[0];
  readonly error?: ItemError;
}

const NOT_APPLIED: ItemError = {
  code: 'NOT_APPLIED',
  message: 'Another item of the batch has an error, so no item was applied',
  argument: null,
};

const withoutStock = ({ error }: ItemResult): ItemResult => ({
  stock: null,
  error: error ?? NOT_APPLIED,
});

/** Returns an error as that of an item. @throws any error that is not about the item */
export function itemError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  throw error;
}

export function failed({ code, message, details }: ServiceError): ItemResult {
  const argument = details['argument'];
  const path = typeof argument === 'string' ? argument : null;
  return { stock: null, error: { code, message, argument: path } };
}
