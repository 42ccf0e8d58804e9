import type { OrderState } from '@gudang/events';
import { ORDER_QUANTITY, ORDER_SUBJECT, PRODUCT_ID_LENGTH } from '@gudang/events';
import { isInvalidData } from '@gudang/postgres';
import { type Logger, ServiceError } from '@gudang/runtime';
import { startSpan, traceId } from '@gudang/runtime/tracing';
import { parseArguments, textOf, wholeNumber } from '@gudang/subgraph';
import * as z from 'zod';
import type { Database } from '../database.ts';
import { createGroupCommit } from './group-commit.ts';
import { insertOrders, type NewOrder } from './insert-orders.ts';

/** Maximum number of orders in one transaction. */
const GROUP_LIMIT = 200;
/**
 * An order that was created more than this before its insert is a repeat, in milliseconds. The clocks of
 * the database and this process may differ by less.
 */
const REPEAT_MS = 1_000;

const argumentsSchema = z.object({
  input: z.object({
    productId: textOf(PRODUCT_ID_LENGTH),
    quantity: wholeNumber(ORDER_QUANTITY),
    idempotencyKey: textOf({ min: 1, max: 100 }).nullish(),
  }),
});

/**
 * Stores a new order as PENDING, with its events. It waits only for the database.
 * @param input `{ productId, quantity, idempotencyKey? }`, unchecked
 * @param traceparent W3C traceparent of the request
 * @throws {ServiceError} BAD_USER_INPUT; IDEMPOTENCY_CONFLICT if the key was already used with a
 *   different input
 */
export type CreateOrder = (
  owner: string,
  input: unknown,
  traceparent?: string,
) => Promise<OrderState>;

/** @param notifyRelay is called after each commit that wrote outbox rows */
export function createOrderHandler(
  database: Database,
  notifyRelay: () => void,
  log?: Pick<Logger, 'debug'>,
): CreateOrder {
  const insert = createGroupCommit<NewOrder, OrderState>({
    run: async (orders) => {
      const found = await insertOrders(database, orders);
      notifyRelay();
      return found;
    },
    limit: GROUP_LIMIT,
    separable: isInvalidData,
  });

  return async (owner, unchecked, traceparent) => {
    const { input } = parseArguments(argumentsSchema, { input: unchecked });
    const { productId, quantity, idempotencyKey = null } = input;
    const order = await storeTraced(
      () => insert({ owner, productId, quantity, idempotencyKey, traceparent }),
      traceparent,
    );
    if (order.productId !== productId || order.quantity !== quantity) {
      throw new ServiceError(
        'IDEMPOTENCY_CONFLICT',
        'This idempotencyKey was used with another input; use a new key for a new order',
        { details: { argument: 'input.idempotencyKey' } },
      );
    }
    log?.debug({ orderId: order.id, trace_id: traceId(traceparent) }, 'order stored');
    return order;
  };
}

/**
 * Runs an insert in a span with the id of the order. The span lasts until the commit. The order that an
 * idempotency key repeats is not named, because the trace of the first request has its further steps.
 */
async function storeTraced(
  insert: () => Promise<OrderState>,
  parent: string | undefined,
): Promise<OrderState> {
  const span = startSpan('store order', { kind: 'internal', parent });
  if (!span) return insert();
  const startedAt = Date.now();
  try {
    const order = await insert();
    if (order.createdAt.getTime() > startedAt - REPEAT_MS)
      span.set(ORDER_SUBJECT.attribute, order.id);
    span.end();
    return order;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
