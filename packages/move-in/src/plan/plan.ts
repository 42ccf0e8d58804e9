import { ORDER_QUANTITY } from '@gudang/events';
import { uuid } from '@gudang/messages';
import type { Unsent } from '../cli.ts';
import type { LegacyOrder, LegacyStock } from '../legacy/legacy-rows.ts';
import type { LegacyTopic } from '../legacy/legacy-topic.ts';
import { planRecords, type RecordedOrder } from './plan-records.ts';
import { isProductId, type PlannedStock, planStocks } from './plan-stocks.ts';
import type { Problem } from './problem.ts';

/** A decision of the legacy stock service: it subtracted the order's quantity. */
export interface PlannedDecision {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly decidedAt: Date;
}

/** An order to move. */
export interface PlannedOrder {
  readonly id: string;
  readonly productId: string;
  readonly quantity: number;
  readonly createdAt: Date;
  readonly status: 'PENDING' | 'CONFIRMED';
  /** Whether the topic has no record of the order. A PENDING order is then sent. */
  readonly isUnsent: boolean;
}

/** Everything to write, and everything to report. */
export interface Plan {
  readonly stocks: readonly PlannedStock[];
  readonly decisions: readonly PlannedDecision[];
  readonly orders: readonly PlannedOrder[];
  readonly problems: readonly Problem[];
  /** Number of orders without a record; they are in `orders` only if `unsent` is set. */
  readonly unsentCount: number;
}

export interface LegacySystem {
  readonly stocks: readonly LegacyStock[];
  readonly orders: readonly LegacyOrder[];
  readonly topic: LegacyTopic;
}

/**
 * Plans a move. This function is pure.
 * - A consumed record becomes a decision, whether or not its row exists.
 * - An order whose record is not consumed is PENDING: the new stock service will consume its record.
 * - An order without a record is handled as `unsent` says.
 * @param now creation time of an order that has neither a record nor a column with the time
 */
export function planMove(
  { stocks: stockRows, orders: orderRows, topic }: LegacySystem,
  unsent: Unsent | undefined,
  now: Date,
): Plan {
  const { stocks, problems: stockProblems } = planStocks(stockRows);
  const { orders: recorded, problems: recordProblems } = planRecords(topic.records);
  const known = new Set(stocks.map(({ id }) => id));
  const problems = [...stockProblems, ...recordProblems];
  const orders: PlannedOrder[] = [];
  const decisions = new Map<string, PlannedDecision>();
  let unsentCount = 0;

  for (const order of recorded.values()) {
    if (order.isConsumed) decisions.set(order.id, decisionOf(order, order.createdAt));
  }
  for (const row of orderRows) {
    const subject = `order ${row.id}`;
    const order = parseOrder(row);
    if ('kind' in order) {
      problems.push({ ...order, subject });
      continue;
    }
    const record = recorded.get(order.id);
    if (record === undefined) {
      unsentCount += 1;
      const message = UNSENT[unsent ?? 'undecided'];
      problems.push({ kind: 'no record', subject, message });
      if (unsent === undefined) continue;
    }
    const { productId, quantity } = record ?? order;
    if (productId !== order.productId || quantity !== order.quantity) {
      const values = `${order.quantity} of ${order.productId}`;
      const message = `its row has ${values}; it is moved with ${quantity} of ${productId}, as in its record`;
      problems.push({ kind: 'record differs', subject, message });
    }
    if (!known.has(productId)) {
      const message = `no stock has the id ${JSON.stringify(productId)}; the order is moved`;
      problems.push({ kind: 'unknown product', subject, message });
    }
    const planned: PlannedOrder = {
      id: order.id,
      productId,
      quantity,
      createdAt: record?.createdAt ?? row.createdAt ?? now,
      status: statusOf(record, unsent),
      isUnsent: record === undefined,
    };
    orders.push(planned);
    if (planned.status === 'CONFIRMED' && !decisions.has(planned.id)) {
      decisions.set(planned.id, decisionOf(planned, planned.createdAt));
    }
  }
  return { stocks, decisions: [...decisions.values()], orders, problems, unsentCount };
}

const UNSENT: Readonly<Record<Unsent | 'undecided', string>> = {
  pending: 'the topic has no record of it; it is moved as PENDING and sent',
  confirmed: 'the topic has no record of it; it is moved as CONFIRMED',
  undecided: 'the topic has no record of it; choose --unsent pending or --unsent confirmed',
};

function statusOf(
  record: RecordedOrder | undefined,
  unsent: Unsent | undefined,
): PlannedOrder['status'] {
  const isDecided = record === undefined ? unsent === 'confirmed' : record.isConsumed;
  return isDecided ? 'CONFIRMED' : 'PENDING';
}

function decisionOf(
  { id, productId, quantity }: Pick<PlannedOrder, 'id' | 'productId' | 'quantity'>,
  decidedAt: Date,
): PlannedDecision {
  return { orderId: id, productId, quantity, decidedAt };
}

type ParsedOrder = Pick<PlannedOrder, 'id' | 'productId' | 'quantity'>;

/** Returns the order of a row, or why it cannot be moved. */
function parseOrder({
  id,
  productId,
  quantity: given,
}: LegacyOrder): ParsedOrder | Pick<Problem, 'kind' | 'message'> {
  const parsedId = uuid.safeParse(id);
  if (!parsedId.success) {
    return { kind: 'bad id', message: 'its id is not a UUID; it is not moved' };
  }
  if (productId === null || !isProductId(productId)) {
    const message = 'its product id must have 1 to 100 characters; it is not moved';
    return { kind: 'bad product', message };
  }
  const quantity = Number(given ?? Number.NaN);
  const { min, max } = ORDER_QUANTITY;
  if (!Number.isInteger(quantity) || quantity < min || quantity > max) {
    const allowed = `a whole number from ${min} to ${max}`;
    const message = `its quantity ${given} is not ${allowed}; it is not moved`;
    return { kind: 'bad quantity', message };
  }
  return { id: parsedId.data, productId, quantity };
}
