import { characters, isStorableText } from '@gudang/messages';
import * as z from 'zod';

/**
 * Limits of the contract. Requests that exceed them are rejected; records that exceed them are
 * dead-lettered.
 */
export const ORDER_QUANTITY = { min: 1, max: 1_000_000 } as const;
export const STOCK_QUANTITY = { min: 0, max: 2_147_483_647 } as const;
export const PRODUCT_ID_LENGTH = { min: 1, max: 100 } as const;

/** A product's id in a record: 1 to 100 characters that PostgreSQL can store. */
export const productId = z
  .string('must be a string')
  .min(PRODUCT_ID_LENGTH.min, 'must not be empty')
  .refine(
    (id) => characters(id) <= PRODUCT_ID_LENGTH.max,
    `must have at most ${PRODUCT_ID_LENGTH.max} characters`,
  )
  .refine(isStorableText, 'must hold neither NUL nor half a surrogate pair');

const allowedQuantity = `must be a whole number from ${ORDER_QUANTITY.min} to ${ORDER_QUANTITY.max}`;

/** The quantity of an order in a record. */
export const orderQuantity = z
  .int(allowedQuantity)
  .min(ORDER_QUANTITY.min, allowedQuantity)
  .max(ORDER_QUANTITY.max, allowedQuantity);
