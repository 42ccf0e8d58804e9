import { STOCK_QUANTITY } from '@gudang/events';
import { idempotencyKey, textOf, wholeNumber } from '@gudang/subgraph';
import * as z from 'zod';

/** Maximum number of items of a batch. */
const BATCH_LIMIT = 1_000;

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
export const adjustArguments = z.object({ id: stockId, ...adjustment.shape, idempotencyKey });
/** An item of updateStocks. */
export const updateItem = z.object({ id: stockId, ...update.shape }).refine(hasChange, HAS_CHANGE);
/** An item of adjustStocks. */
export const adjustItem = z.object({ id: stockId, ...adjustment.shape });

const ITEMS = `a list of 1 to ${BATCH_LIMIT.toLocaleString('en')} items`;

/** The arguments of a batch. Each item is parsed separately, because its errors are its own. */
export const batchArguments = z.object({
  inputs: z.array(z.unknown()).min(1, ITEMS).max(BATCH_LIMIT, ITEMS),
  allOrNothing: z.boolean().nullish(),
  idempotencyKey,
});

export const deleteArguments = z.object({ id: stockId, idempotencyKey });
