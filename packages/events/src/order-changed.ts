import type { RejectionReason } from './order-decided.ts';

export type OrderStatus = 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED';

/** A stored order. */
export interface OrderState {
  readonly id: string;
  readonly owner: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: OrderStatus;
  readonly rejectionReason: RejectionReason | null;
  readonly createdAt: Date;
  readonly decidedAt: Date | null;
}

/**
 * Returns the version of an order: 1 while the order is PENDING, 2 after the decision. Consumers
 * drop a version that is not newer than the last one.
 */
export function orderVersion(order: Pick<OrderState, 'status'>): number {
  return order.status === 'PENDING' ? 1 : 2;
}

export function encodeOrderChanged(order: OrderState): string {
  return JSON.stringify({
    id: order.id,
    owner: order.owner,
    product_id: order.productId,
    quantity: order.quantity,
    status: order.status,
    rejection_reason: order.rejectionReason,
    created_at: order.createdAt.toISOString(),
    decided_at: order.decidedAt?.toISOString() ?? null,
  });
}

/** Decodes without validation: only this system writes to the topic. */
export function decodeOrderChanged(value: Uint8Array): OrderState {
  const order = JSON.parse(Buffer.from(value).toString());
  return {
    id: order.id,
    owner: order.owner,
    productId: order.product_id,
    quantity: order.quantity,
    status: order.status,
    rejectionReason: order.rejection_reason,
    createdAt: new Date(order.created_at),
    decidedAt: order.decided_at === null ? null : new Date(order.decided_at),
  };
}
