import { randomUUID } from 'node:crypto';
import type { StockState } from '@gudang/events';
import { STOCK_QUANTITY } from '@gudang/events';
import { ServiceError } from '@gudang/runtime';
import { parseArguments, textOf, wholeNumber } from '@gudang/subgraph';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { lockStocks } from './lock-stocks.ts';
import { writeChanges, writeLedger } from './write-changes.ts';

export const stockId = textOf({ min: 1, max: 100 });
export const stockName = textOf({ min: 1, max: 255 });
export const stockQuantity = wholeNumber(STOCK_QUANTITY);

const argumentsSchema = z.object({
  input: z.object({ id: stockId.nullish(), name: stockName, quantity: stockQuantity }),
});

/** The part of an operation's context that the mutations of stocks use. */
export type ChangeContext = Pick<Context, 'database' | 'traceparent'> &
  Partial<Pick<Context, 'notifyRelay'>>;

/**
 * Adds a stock. If a deleted stock had the same id, the new stock continues its version numbers and
 * ledger.
 * @param unchecked `{ id?, name, quantity }`
 * @throws {ServiceError} BAD_USER_INPUT, ALREADY_EXISTS
 */
export async function addStock(
  { database, traceparent, notifyRelay }: ChangeContext,
  unchecked: unknown,
): Promise<StockState> {
  const { input } = parseArguments(argumentsSchema, { input: unchecked });
  const { name, quantity } = input;
  const id = input.id ?? randomUUID();
  const added = await database.transaction(async (transaction) => {
    const created = await transaction.$queryRaw<{ now: Date }[]>`
      INSERT INTO stocks (id, name, quantity) VALUES (${id}, ${name}, ${quantity})
      ON CONFLICT (id) DO NOTHING RETURNING created_at AS now`;
    const [row] = created;
    if (row) {
      const stock = { id, name, quantity, version: 1, createdAt: row.now, updatedAt: row.now };
      await writeLedger(transaction, [
        { stock, kind: 'CREATED', delta: quantity, orderId: null, traceparent },
      ]);
      return stock;
    }
    const { stocks, now } = await lockStocks(transaction, [id]);
    const before = stocks.get(id);
    if (before === undefined || before.deletedAt === null) {
      throw new ServiceError(
        'ALREADY_EXISTS',
        `A stock with the id ${JSON.stringify(id)} exists already; choose another id, or update that stock`,
        { details: { argument: 'input.id' } },
      );
    }
    const version = before.version + 1;
    const stock = { id, name, quantity, version, createdAt: now, updatedAt: now };
    await writeChanges(transaction, [
      { stock, kind: 'CREATED', delta: quantity, orderId: null, traceparent },
    ]);
    return stock;
  });
  notifyRelay?.();
  return added;
}
