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
  /** Time of the first decision. */
  readonly decidedAt: Date | null;
  /** 1 for a new order, and 1 more after each change. Consumers drop a version that is not newer. */
  readonly version: number;
  /** Start of the transaction that made the last change, by the database's clock. */
  readonly changedAt: Date;
  /** Time of the request to cancel; null if there is none, or if it was refused. */
  readonly cancelRequestedAt: Date | null;
  readonly cancelReason: string | null;
  /** Null unless the order is CANCELLED. */
  readonly cancelledAt: Date | null;
}

/** A change of an order, with its state after the change. */
export interface OrderChanged {
  readonly order: OrderState;
  /** The status before the change; null for a new order. */
  readonly previousStatus: OrderStatus | null;
}

export function encodeOrderChanged({ order, previousStatus }: OrderChanged): string {
  return JSON.stringify({
    id: order.id,
    owner: order.owner,
    product_id: order.productId,
    quantity: order.quantity,
    status: order.status,
    rejection_reason: order.rejectionReason,
    created_at: order.createdAt.toISOString(),
    decided_at: order.decidedAt?.toISOString() ?? null,
    version: order.version,
    changed_at: order.changedAt.toISOString(),
    cancel_requested_at: order.cancelRequestedAt?.toISOString() ?? null,
    cancel_reason: order.cancelReason,
    cancelled_at: order.cancelledAt?.toISOString() ?? null,
    previous_status: previousStatus,
  });
}

/**
 * Decodes without validation: only this system writes to the topic. A record of a release without
 * cancellations has neither a version nor a previous status; both follow from its status.
 */
export function decodeOrderChanged(value: Uint8Array): OrderChanged {
  const order = JSON.parse(Buffer.from(value).toString());
  const isNew = order.status === 'PENDING';
  return {
    order: {
      id: order.id,
      owner: order.owner,
      productId: order.product_id,
      quantity: order.quantity,
      status: order.status,
      rejectionReason: order.rejection_reason,
      createdAt: new Date(order.created_at),
      decidedAt: dateOf(order.decided_at),
      version: order.version ?? (isNew ? 1 : 2),
      changedAt: new Date(order.changed_at ?? order.decided_at ?? order.created_at),
      cancelRequestedAt: dateOf(order.cancel_requested_at),
      cancelReason: order.cancel_reason ?? null,
      cancelledAt: dateOf(order.cancelled_at),
    },
    previousStatus:
      order.version === undefined ? (isNew ? null : 'PENDING') : (order.previous_status ?? null),
  };
}

function dateOf(text: string | null | undefined): Date | null {
  return text === null || text === undefined ? null : new Date(text);
}
