import { accessError, hasScope, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';
import { type IdempotencyClaim, type ResultCodec, runOnce } from '@gudang/idempotency';
import { notFound, ServiceError, unavailable } from '@gudang/runtime';
import { idempotencyKey, parseArguments, textOf } from '@gudang/subgraph';
import * as z from 'zod';
import type { Database, Transaction } from '../database.ts';
import { isUuid, ORDER_COLUMNS } from './find-orders.ts';
import { orderCancelledFrom, orderChangedFrom } from './order-events.ts';
import { isVisible, visibilityOf } from './order-visibility.ts';

/** The scopes of which a caller needs one to cancel an order. */
export const CANCEL_SCOPES = [['order:write'], ['order:write:all']] as const;

const argumentsSchema = z.object({
  id: textOf({ min: 1, max: 100 }),
  reason: textOf({ min: 1, max: 255 }).nullish(),
  idempotencyKey,
});

/**
 * Requests the cancellation of an order, and writes the events of the request. It waits only for the
 * database. An order that is REJECTED or CANCELLED, or whose cancellation is already requested, stays
 * unchanged.
 * @param given `{ id, reason?, idempotencyKey? }`, unchecked
 * @param traceparent W3C traceparent of the request
 * @returns the order after the request; for a repeated idempotency key, the order as it is now
 * @throws {ServiceError} BAD_USER_INPUT; NOT_FOUND if the caller does not see the order; FORBIDDEN if it
 *   belongs to another user; TOO_LATE; IDEMPOTENCY_CONFLICT; UNAVAILABLE while cancelling is off
 */
export type CancelOrder = (
  identity: Identity,
  given: unknown,
  traceparent?: string,
) => Promise<OrderState>;

export interface CancelOptions {
  readonly database: Database;
  /** Called after each commit that wrote outbox rows. */
  readonly notifyRelay: () => void;
  /** Seconds after its creation in which its owner can cancel an order. */
  readonly within: number;
  readonly isEnabled: boolean;
}

export function cancelOrderHandler({
  database,
  notifyRelay,
  within,
  isEnabled,
}: CancelOptions): CancelOrder {
  return async (identity, given, traceparent) => {
    const { id, reason = null, idempotencyKey: key } = parseArguments(argumentsSchema, given);
    const claim = claimOf(identity, { id, reason }, key);
    const isKnownId = isUuid(id);
    const { result, isReplay } = await database.transaction((transaction) => {
      const codec: ResultCodec<OrderState> = {
        encode: (order) => ({ id: order.id }),
        decode: async (stored: { id: string }) => {
          const [order] = await transaction.$queryRaw<OrderState[]>`
            SELECT ${ORDER_COLUMNS} FROM orders WHERE id = ${stored.id}::uuid`;
          assertMayCancel(order, identity, id);
          return order;
        },
      };
      return runOnce(transaction, claim, codec, async () => {
        const locked = isKnownId ? await lockOrder(transaction, id, within) : undefined;
        const order = locked?.order;
        assertMayCancel(order, identity, id);
        if (!canBeRequested(order)) return order;
        if (!isEnabled)
          throw unavailable('Orders cannot be cancelled at the moment; try again later');
        assertInTime(locked?.tooLateSince, identity);
        return requestCancel(transaction, order.id, { reason, traceparent });
      });
    });
    if (!isReplay) notifyRelay();
    return result;
  };
}

function claimOf(
  { subject = '' }: Identity,
  input: { readonly id: string; readonly reason: string | null },
  key: string | null | undefined,
): IdempotencyClaim | undefined {
  if (key === null || key === undefined) return undefined;
  return {
    principal: subject,
    mutation: 'cancelOrder',
    key,
    input,
    argument: 'idempotencyKey',
  };
}

interface LockedOrder {
  readonly order: OrderState;
  /** Time until which the owner could cancel it; null if that time has not passed. */
  readonly tooLateSince: Date | null;
}

async function lockOrder(
  transaction: Transaction,
  id: string,
  within: number,
): Promise<LockedOrder | undefined> {
  const [locked] = await transaction.$queryRaw<(OrderState & { tooLateSince: Date | null })[]>`
    SELECT ${ORDER_COLUMNS}, CASE WHEN now() >= created_at + make_interval(secs => ${within})
      THEN created_at + make_interval(secs => ${within}) END AS "tooLateSince"
    FROM orders WHERE id = ${id}::uuid FOR UPDATE`;
  if (locked === undefined) return undefined;
  const { tooLateSince, ...order } = locked;
  return { order, tooLateSince };
}

/**
 * @throws {ServiceError} NOT_FOUND if there is no such order, or if the caller may not know of it;
 *   FORBIDDEN if the caller sees the order, but may not cancel it
 */
function assertMayCancel<O extends OrderState>(
  order: O | undefined,
  identity: Identity,
  id: string,
): asserts order is O {
  if (order === undefined) throw notFound('order', id);
  if (mayCancelAll(identity) || isVisible({ owner: identity.subject }, order)) return;
  if (!isVisible(visibilityOf(identity), order)) throw notFound('order', id);
  throw accessError(identity, { anyOf: [['order:write:all']] }, 'The order of another user');
}

function mayCancelAll(identity: Identity): boolean {
  return hasScope(identity, 'order:write:all');
}

/** Whether a request to cancel the order would change it. */
function canBeRequested({ status, cancelRequestedAt }: OrderState): boolean {
  return (status === 'PENDING' || status === 'CONFIRMED') && cancelRequestedAt === null;
}

function assertInTime(tooLateSince: Date | null | undefined, identity: Identity): void {
  if (!tooLateSince || mayCancelAll(identity)) return;
  const until = tooLateSince.toISOString();
  throw new ServiceError(
    'TOO_LATE',
    `Its owner could cancel the order until ${until}; now only callers with the scope order:write:all can`,
    {
      details: { until },
    },
  );
}

/** Writes the request and its two events. The reconciler's waits for the order start anew. */
async function requestCancel(
  transaction: Transaction,
  id: string,
  {
    reason,
    traceparent,
  }: { readonly reason: string | null; readonly traceparent?: string | undefined },
): Promise<OrderState> {
  const [order] = await transaction.$queryRaw<OrderState[]>`
    WITH requested AS (
      UPDATE orders SET
        cancel_requested_at = now(), cancel_reason = ${reason},
        version = version + 1, changed_at = now()
      WHERE id = ${id}::uuid
      RETURNING *, ${traceparent ?? null}::text AS traceparent
    ), forgotten AS (
      DELETE FROM reconciliations WHERE order_id IN (SELECT id FROM requested)
    ), cancelled_event AS (${orderCancelledFrom('requested', 'traceparent')}
    ), changed_event AS (${orderChangedFrom('requested', {
      previousStatus: 'status',
      traceparent: 'traceparent',
    })}
    )
    SELECT ${ORDER_COLUMNS} FROM requested`;
  if (order === undefined) throw new Error('A locked order was not updated');
  return order;
}
