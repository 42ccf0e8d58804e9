import { type Decoded, decodeWith, time, uuid } from '@gudang/messages';
import * as z from 'zod';
import { orderQuantity, productId } from './limits.ts';

/** A request to cancel an order, which the stock service answers with a record of order_decided. */
export interface OrderCancelled {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  /** Time of the request, by the clock of order_db. It identifies the request. */
  readonly requestedAt: Date;
}

const schema = z
  .object(
    { id: uuid, product_id: productId, quantity: orderQuantity, timestamp: time },
    'must be an object',
  )
  .transform(
    (order): OrderCancelled => ({
      id: order.id,
      productId: order.product_id,
      quantity: order.quantity,
      requestedAt: new Date(order.timestamp),
    }),
  );

export function decodeOrderCancelled(value: Uint8Array | null): Decoded<OrderCancelled> {
  return decodeWith(schema, value);
}

/** Encodes the same four fields as order_created. */
export function encodeOrderCancelled(order: OrderCancelled): string {
  return JSON.stringify({
    id: order.id,
    product_id: order.productId,
    quantity: order.quantity,
    timestamp: order.requestedAt.toISOString(),
  });
}
