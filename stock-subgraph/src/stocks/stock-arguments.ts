import { STOCK_QUANTITY } from '@gudang/events';
import { idempotencyKey, textOf, wholeNumber } from '@gudang/subgraph';
import { z } from 'zod';

export const stockId = textOf({ min: 1, max: 100 });
export const stockName = textOf({ min: 1, max: 255 });
export const stockQuantity = wholeNumber(STOCK_QUANTITY);

const expectedVersion = wholeNumber({ min: 1, max: STOCK_QUANTITY.max }).nullish();
const reason = textOf({ min: 1, max: 255 }).nullish();

/** The new stock of addStock, and an item of addStocks. */
export const newStock = z.object({
  id: stockId.nullish(),
  name: stockName,
  quantity: stockQuantity,
});

const update = z.object({
  name: stockName.nullish(),
  quantity: stockQuantity.nullish(),
  expectedVersion,
  reason,
});

/** The parsed arguments of a change by updateStock. */
export type Update = z.infer<typeof update>;

const adjustment = z.object({
  delta: wholeNumber({ min: -STOCK_QUANTITY.max, max: STOCK_QUANTITY.max }).refine(
    (delta) => delta !== 0,
    'other than 0',
  ),
  expectedVersion,
  reason,
});

/** The parsed arguments of a change by adjustStock. */
export type Adjustment = z.infer<typeof adjustment>;

const hasChange = ({ name, quantity }: Update): boolean => name != null || quantity != null;
const HAS_CHANGE = 'an object with a name, a quantity or both';

export const addArguments = z.object({ input: newStock, idempotencyKey });
export const updateArguments = z.object({
  id: stockId,
  input: update.refine(hasChange, HAS_CHANGE),
  idempotencyKey,
});
export const adjustArguments = adjustment.extend({ id: stockId, idempotencyKey });
export const deleteArguments = z.object({ id: stockId, idempotencyKey });
