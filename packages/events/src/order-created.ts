import { type Decoded, decodeWith, time, uuid } from '@gudang/messages';
import * as z from 'zod';
import { orderQuantity, productId } from './limits.ts';

/** A new order, which the stock service confirms or rejects. */
export interface OrderCreated {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
}

const fields = z.object(
  {
    id: uuid,
    product_id: productId,
    quantity: orderQuantity,
    timestamp: time.optional(),
    /** The legacy order service uses this name for `timestamp`. */
    TimeStamp: time.optional(),
  },
  'must be an object',
);

const schema = fields
  .refine((order) => order.timestamp !== undefined || order.TimeStamp !== undefined, {
    path: ['timestamp'],
    message: 'is missing',
  })
  .transform(
    (order): OrderCreated => ({
      id: order.id,
      productId: order.product_id,
      quantity: order.quantity,
    }),
  );

/** Decodes a record of order_created, including records of other systems. */
export function decodeOrderCreated(value: Uint8Array | null): Decoded<OrderCreated> {
  return decodeWith(schema, value);
}

/** Encodes exactly the four fields that other systems use. */
export function encodeOrderCreated(order: OrderCreated & { readonly createdAt: Date }): string {
  return JSON.stringify({
    id: order.id,
    product_id: order.productId,
    quantity: order.quantity,
    timestamp: order.createdAt.toISOString(),
  });
}
