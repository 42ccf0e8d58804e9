import { randomUUID } from 'node:crypto';
import type { StockState } from '@gudang/events';
import { ServiceError } from '@gudang/runtime';
import { parseArguments } from '@gudang/subgraph';
import type { Transaction } from '../database.ts';
import { lockStocks } from './lock-stocks.ts';
import { type ChangeContext, runChange, stockCodec } from './run-change.ts';
import { addArguments } from './stock-arguments.ts';
import { writeChanges, writeLedger } from './write-changes.ts';

/**
 * Adds a stock. If a deleted stock had the same id, the new stock continues its version numbers and
 * ledger.
 * @param unchecked `{ id?, name, quantity }`
 * @throws {ServiceError} BAD_USER_INPUT, ALREADY_EXISTS, IDEMPOTENCY_CONFLICT
 */
export async function addStock(
  context: ChangeContext,
  unchecked: unknown,
  idempotencyKey?: unknown,
): Promise<StockState> {
  const input = parseArguments(addArguments, { input: unchecked, idempotencyKey });
  const { name, quantity } = input.input;
  const id = input.input.id ?? randomUUID();
  const request = { mutation: 'addStock', input };
  return runChange(context, request, stockCodec, async (transaction) => {
    const created = await insertStock(transaction, { id, name, quantity });
    const by = context.identity?.subject;
    const { traceparent } = context;
    const change = { kind: 'CREATED', delta: quantity, orderId: null, by, traceparent } as const;
    if (created) {
      await writeLedger(transaction, [{ ...change, stock: created }]);
      return created;
    }
    const { stocks, now } = await lockStocks(transaction, [id]);
    const before = stocks.get(id);
    if (before === undefined || before.deletedAt === null) throw alreadyExists(id, 'input.id');
    const version = before.version + 1;
    const stock = { id, name, quantity, version, createdAt: now, updatedAt: now };
    await writeChanges(transaction, [{ ...change, stock }]);
    return stock;
  });
}

/** @returns undefined if the id is in use, or was used by a deleted stock */
async function insertStock(
  transaction: Transaction,
  { id, name, quantity }: Pick<StockState, 'id' | 'name' | 'quantity'>,
): Promise<StockState | undefined> {
  const [row] = await transaction.$queryRaw<{ now: Date }[]>`
    INSERT INTO stocks (id, name, quantity) VALUES (${id}, ${name}, ${quantity})
    ON CONFLICT (id) DO NOTHING RETURNING created_at AS now`;
  return row && { id, name, quantity, version: 1, createdAt: row.now, updatedAt: row.now };
}

/** @param argument the path of the argument with the id */
export function alreadyExists(id: string, argument: string): ServiceError {
  return new ServiceError(
    'ALREADY_EXISTS',
    `A stock with the id ${JSON.stringify(id)} exists already; choose another id, or update that stock`,
    { details: { argument } },
  );
}
