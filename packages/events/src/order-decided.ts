import { type Decoded, decodeWith, time, uuid } from '@gudang/messages';
import { z } from 'zod';
import { productId, STOCK_QUANTITY } from './limits.ts';

export type DecisionStatus = 'CONFIRMED' | 'REJECTED';
export type RejectionReason = 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT';

/** The stock service's final answer to an order. */
export interface OrderDecided {
  readonly orderId: string;
  readonly productId: string;
  readonly status: DecisionStatus;
  /** Null for a confirmed order. */
  readonly reason: RejectionReason | null;
  /** The stock's quantity after the decision; null if the stock does not exist. */
  readonly quantityAfter: number | null;
  readonly decidedAt: Date;
}

const schema = z
  .object(
    {
      order_id: uuid,
      product_id: productId,
      status: z.enum(['CONFIRMED', 'REJECTED'], 'must be CONFIRMED or REJECTED'),
      reason: z.enum(['OUT_OF_STOCK', 'UNKNOWN_PRODUCT'], 'must be a known reason').nullable(),
      quantity_after: z
        .int('must be a whole number')
        .min(STOCK_QUANTITY.min, 'must not be negative')
        .max(STOCK_QUANTITY.max, `must be at most ${STOCK_QUANTITY.max}`)
        .nullable(),
      decided_at: time,
    },
    'must be an object',
  )
  .refine((decided) => (decided.status === 'REJECTED') === (decided.reason !== null), {
    path: ['reason'],
    message: 'must be there when REJECTED, and only then',
  })
  .transform(
    (decided): OrderDecided => ({
      orderId: decided.order_id,
      productId: decided.product_id,
      status: decided.status,
      reason: decided.reason,
      quantityAfter: decided.quantity_after,
      decidedAt: new Date(decided.decided_at),
    }),
  );

export function decodeOrderDecided(value: Uint8Array | null): Decoded<OrderDecided> {
  return decodeWith(schema, value);
}

export function encodeOrderDecided(decided: OrderDecided): string {
  return JSON.stringify({
    order_id: decided.orderId,
    product_id: decided.productId,
    status: decided.status,
    reason: decided.reason,
    quantity_after: decided.quantityAfter,
    decided_at: decided.decidedAt.toISOString(),
  });
}
