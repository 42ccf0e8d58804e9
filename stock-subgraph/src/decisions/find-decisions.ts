import type { OrderDecided } from '@gudang/events';
import DataLoader from 'dataloader';
import type { Database } from '../database.ts';

/** An order that changed a stock, as `StockChange.order` and `Movement.order` show it. */
export interface ChangingOrder {
  readonly id: string;
  /** Whether the change returned the order's units. */
  readonly isReturn: boolean;
  /** Time of the change. */
  readonly at: Date;
}

/** The fields of an order that the stock service decides. */
export interface OrderDecision {
  readonly status: OrderDecided['status'];
  readonly rejectionReason: OrderDecided['reason'];
  readonly decidedAt: Date;
  readonly cancelledAt: Date | null;
}

export type DecisionLoader = DataLoader<string, OrderDecision | undefined>;

/** Maximum number of decisions that one statement reads. */
const BATCH_LIMIT = 1_000;

/**
 * Creates a loader of decisions by order id. All operations share it, so one statement reads the decisions
 * for the events of all streams that are executed in the same tick. It does not cache decisions, so each
 * event shows the decision at the time of its execution.
 */
export function createDecisionLoader(database: Database): DecisionLoader {
  return new DataLoader((ids) => findDecisions(database, ids), {
    cache: false,
    maxBatchSize: BATCH_LIMIT,
  });
}

async function findDecisions(
  database: Database,
  ids: readonly string[],
): Promise<(OrderDecision | undefined)[]> {
  const rows = await database.statements.$queryRaw<(OrderDecision & { orderId: string })[]>`
    SELECT order_id AS "orderId", status::text AS status, reason::text AS "rejectionReason",
           decided_at AS "decidedAt", cancelled_at AS "cancelledAt"
    FROM decisions WHERE order_id = ANY(${[...new Set(ids)]}::uuid[])`;
  const byId = new Map(rows.map(({ orderId, ...decision }) => [orderId, decision]));
  return ids.map((id) => byId.get(id));
}

/**
 * Returns the decision about an order that changed a stock. After a restore of the database, a change
 * that was published before can name an order whose decision is gone: the change itself proves that the
 * order was confirmed, and a RETURNED change that it was cancelled.
 */
export async function decisionOf(
  loader: DecisionLoader,
  { id, isReturn, at }: ChangingOrder,
): Promise<OrderDecision> {
  const decision = await loader.load(id);
  if (decision) return decision;
  return {
    status: isReturn ? 'CANCELLED' : 'CONFIRMED',
    rejectionReason: null,
    decidedAt: at,
    cancelledAt: isReturn ? at : null,
  };
}
