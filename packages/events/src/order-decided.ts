import { type Decoded, decodeWith, time, uuid } from '@gudang/messages';
import * as z from 'zod';
import { productId, STOCK_QUANTITY } from './limits.ts';

export type DecisionStatus = 'CONFIRMED' | 'REJECTED' | 'CANCELLED';
export type RejectionReason = 'OUT_OF_STOCK' | 'UNKNOWN_PRODUCT';

/** A request to cancel a confirmed order that the stock service refused. */
export interface CancelRefusal {
  readonly at: Date;
  /** Time of the refused request, as in its record of order_cancelled. */
  readonly requestedAt: Date;
}

/** The stock service's answer to an order or to its cancellation. */
export interface OrderDecided {
  readonly orderId: string;
  readonly productId: string;
  readonly status: DecisionStatus;
  /** Null unless the order is rejected. */
  readonly reason: RejectionReason | null;
  /** The stock's quantity after the decision; null if the stock does not exist. */
  readonly quantityAfter: number | null;
  /** Time of the first decision. A cancellation of a confirmed order does not change it. */
  readonly decidedAt: Date;
  /** Null unless the order is cancelled. */
  readonly cancelledAt: Date | null;
  /** Set only if this record answers a request to cancel; the order stays confirmed. */
  readonly cancelRefusal: CancelRefusal | null;
}

const schema = z
  .object(
    {
      order_id: uuid,
      product_id: productId,
      status: z.enum(
        ['CONFIRMED', 'REJECTED', 'CANCELLED'],
        'must be CONFIRMED, REJECTED or CANCELLED',
      ),
      reason: z.enum(['OUT_OF_STOCK', 'UNKNOWN_PRODUCT'], 'must be a known reason').nullable(),
      quantity_after: z
        .int('must be a whole number')
        .min(STOCK_QUANTITY.min, 'must not be negative')
        .max(STOCK_QUANTITY.max, `must be at most ${STOCK_QUANTITY.max}`)
        .nullable(),
      decided_at: time,
      // Records of releases without cancellations do not have these fields.
      cancelled_at: time.nullish(),
      cancel_refused_at: time.nullish(),
      cancel_requested_at: time.nullish(),
    },
    'must be an object',
  )
  .refine((decided) => (decided.status === 'REJECTED') === (decided.reason !== null), {
    path: ['reason'],
    message: 'must be there when REJECTED, and only then',
  })
  .refine((decided) => (decided.status === 'CANCELLED') === isSet(decided.cancelled_at), {
    path: ['cancelled_at'],
    message: 'must be there when CANCELLED, and only then',
  })
  .refine((decided) => decided.status === 'CONFIRMED' || !isSet(decided.cancel_refused_at), {
    path: ['cancel_refused_at'],
    message: 'must be there only when CONFIRMED',
  })
  .refine((decided) => isSet(decided.cancel_refused_at) === isSet(decided.cancel_requested_at), {
    path: ['cancel_requested_at'],
    message: 'must be there with cancel_refused_at, and only then',
  })
  .transform(
    (decided): OrderDecided => ({
      orderId: decided.order_id,
      productId: decided.product_id,
      status: decided.status,
      reason: decided.reason,
      quantityAfter: decided.quantity_after,
      decidedAt: new Date(decided.decided_at),
      cancelledAt: dateOf(decided.cancelled_at),
      cancelRefusal: refusalOf(decided.cancel_refused_at, decided.cancel_requested_at),
    }),
  );

function isSet(text: string | null | undefined): text is string {
  return text !== null && text !== undefined;
}

function dateOf(text: string | null | undefined): Date | null {
  return isSet(text) ? new Date(text) : null;
}

function refusalOf(
  refusedAt: string | null | undefined,
  requestedAt: string | null | undefined,
): CancelRefusal | null {
  if (!isSet(refusedAt) || !isSet(requestedAt)) return null;
  return { at: new Date(refusedAt), requestedAt: new Date(requestedAt) };
}

export function decodeOrderDecided(value: Uint8Array | null): Decoded<OrderDecided> {
  return decodeWith(schema, value);
}

/** Encodes the fields about cancellations only if they are set. */
export function encodeOrderDecided(decided: OrderDecided): string {
  const fields = {
    order_id: decided.orderId,
    product_id: decided.productId,
    status: decided.status,
    reason: decided.reason,
    quantity_after: decided.quantityAfter,
    decided_at: decided.decidedAt.toISOString(),
  };
  const { cancelledAt, cancelRefusal } = decided;
  if (cancelledAt === null && cancelRefusal === null) return JSON.stringify(fields);
  return JSON.stringify({
    ...fields,
    cancelled_at: cancelledAt?.toISOString(),
    cancel_refused_at: cancelRefusal?.at.toISOString(),
    cancel_requested_at: cancelRefusal?.requestedAt.toISOString(),
  });
}
