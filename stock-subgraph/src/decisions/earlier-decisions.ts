import type { Transaction } from '../database.ts';
import type { Decision, OrderRequest } from './decide.ts';

type DecisionRow = Omit<Decision, 'cancelRefusal'> & {
  readonly cancelRefusedAt: Date | null;
  readonly cancelRequestedAt: Date | null;
};

/**
 * Finds the earlier decisions about orders. The stock version of a confirmed order that an earlier release
 * decided is in its ledger entry.
 */
export async function findEarlierDecisions(
  transaction: Transaction,
  requests: readonly OrderRequest[],
): Promise<Map<string, Decision>> {
  if (requests.length === 0) return new Map();
  const rows = await transaction.$queryRaw<DecisionRow[]>`
    SELECT order_id AS "orderId", product_id AS "productId", quantity, status::text AS status,
           reason::text AS reason, quantity_after AS "quantityAfter", decided_at AS "decidedAt",
           cancelled_at AS "cancelledAt", cancel_refused_at AS "cancelRefusedAt",
           cancel_requested_at AS "cancelRequestedAt",
           CASE WHEN stock_version IS NULL AND status = 'CONFIRMED' THEN (
             SELECT version FROM movements
             WHERE movements.order_id = decisions.order_id AND kind = 'ORDERED'
           ) ELSE stock_version END AS "stockVersion"
    FROM decisions WHERE order_id = ANY(${requests.map(({ id }) => id)}::uuid[])`;
  return new Map(
    rows.map(({ cancelRefusedAt: at, cancelRequestedAt: requestedAt, ...row }) => [
      row.orderId,
      { ...row, cancelRefusal: at && requestedAt ? { at, requestedAt } : null },
    ]),
  );
}

/** Finds the version at which each stock of the requests to cancel was last added. */
export async function findAddedVersions(
  transaction: Transaction,
  requests: readonly OrderRequest[],
): Promise<Map<string, number>> {
  const ids = requests.filter((request) => 'requestedAt' in request).map((one) => one.productId);
  if (ids.length === 0) return new Map();
  const rows = await transaction.$queryRaw<{ stockId: string; version: number }[]>`
    SELECT stock_id AS "stockId", max(version) AS version FROM movements
    WHERE kind = 'CREATED' AND stock_id = ANY(${[...new Set(ids)]}::text[]) GROUP BY stock_id`;
  return new Map(rows.map(({ stockId, version }) => [stockId, version]));
}
