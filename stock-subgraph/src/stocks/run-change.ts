import type { StockState } from '@gudang/events';
import { type ResultCodec, runOnce } from '@gudang/idempotency';
import type { Context } from '../context.ts';
import type { Transaction } from '../database.ts';

/** The part of an operation's context that the mutations of stocks use. */
export type ChangeContext = Pick<Context, 'database' | 'traceparent'> &
  Partial<Pick<Context, 'notifyRelay' | 'identity'>>;

/** The mutation that makes a change, for its idempotency key. */
export interface ChangeRequest {
  readonly mutation: string;
  /** The arguments, with defaults. */
  readonly input: object & { readonly idempotencyKey?: string | null | undefined };
}

/** A stock as it is stored with an idempotency key: at the version that the change made. */
type StoredStock = {
  readonly [K in keyof StockState]: StockState[K] extends Date ? string : StockState[K];
};

export function encodeStock({
  id,
  name,
  quantity,
  version,
  createdAt,
  updatedAt,
}: StockState): object {
  return { id, name, quantity, version, createdAt, updatedAt };
}

export function decodeStock(stored: StoredStock): StockState {
  const { createdAt, updatedAt } = stored;
  return { ...stored, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}

export const stockCodec: ResultCodec<StockState> = { encode: encodeStock, decode: decodeStock };

/**
 * Runs a change of stocks in a transaction, once for each idempotency key, and wakes the relay.
 * @throws {ServiceError} IDEMPOTENCY_CONFLICT, and the errors of the change
 */
export async function runChange<R>(
  { database, identity, notifyRelay }: ChangeContext,
  { mutation, input: { idempotencyKey, ...input } }: ChangeRequest,
  codec: ResultCodec<R>,
  change: (transaction: Transaction) => Promise<R>,
): Promise<R> {
  const principal = identity?.subject ?? '';
  const claim =
    idempotencyKey == null
      ? undefined
      : { principal, mutation, key: idempotencyKey, input, argument: 'idempotencyKey' };
  const { result } = await database.transaction((transaction) =>
    runOnce(transaction, claim, codec, () => change(transaction)),
  );
  notifyRelay?.();
  return result;
}
