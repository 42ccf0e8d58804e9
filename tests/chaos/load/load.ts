import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@gudang/testing/eventually';
import type { Random } from '@gudang/testing/random';
import type { Acknowledged, Adjusted } from '../history.ts';
import type { Customer } from './customer.ts';
import type { Product } from './products.ts';

export interface LoadOptions {
  readonly customer: Customer;
  readonly random: Random;
  readonly products: readonly Product[];
  /** Unique prefix of the idempotency keys and of the adjustments' reasons. */
  readonly label: string;
  readonly ordersPerSecond?: number;
  /** Called for each acknowledged order. */
  readonly onOrder?: (order: Acknowledged) => void;
}

/** Clients that send orders and adjustments continuously. */
export interface Load {
  readonly products: readonly Product[];
  readonly acknowledged: readonly Acknowledged[];
  readonly adjusted: readonly Adjusted[];
  /** Ids of the orders whose cancellation was acknowledged. */
  readonly cancelled: readonly string[];
  /** Resolves once `count` further orders are acknowledged. */
  readonly more: (count: number) => Promise<void>;
  /** Stops sending requests. Resolves once the last response has arrived. */
  readonly stop: () => Promise<void>;
}

const WORKERS = 8;
const LIMIT = 25_000;
const ADJUSTMENT_EVERY_MS = 150;
/** Share of the orders that are cancelled. */
const CANCELLED_SHARE = 0.3;
/** Longest time until an order is cancelled. About half of the cancellations precede the decision. */
const CANCELLED_WITHIN_MS = 60;
/** Longest time until a late cancellation, which may follow a fault. */
const LATE_CANCELLATION_MS = 3_000;
const MORE_WITHIN_MS = 90_000;

export function startLoad({
  customer,
  random,
  products,
  label,
  ordersPerSecond = 40,
  onOrder = () => {},
}: LoadOptions): Load {
  const acknowledged: Acknowledged[] = [];
  const adjusted: Adjusted[] = [];
  const cancelled: string[] = [];
  const cancelling = new Set<Promise<void>>();
  const stopping = new AbortController();
  // Each order that will be cancelled listens.
  setMaxListeners(0, stopping.signal);
  const waitBetween = (1_000 * WORKERS) / ordersPerSecond;
  const rest = (milliseconds: number): Promise<void> =>
    pause(milliseconds, undefined, { signal: stopping.signal }).catch(() => {});
  let sent = 0;

  const orderOnce = async (): Promise<void> => {
    sent += 1;
    const unknown = random.chance(0.05);
    const input = {
      productId: unknown ? `${label}-unknown` : random.pick(products).id,
      quantity: random.between(1, 5),
      idempotencyKey: random.chance(0.8) ? `${label}-${sent}` : null,
    };
    // Some orders are sent three times concurrently. All three responses must have the same order id.
    const senders = input.idempotencyKey !== null && random.chance(0.1) ? 3 : 1;
    const answers = await Promise.all(Array.from({ length: senders }, () => customer.order(input)));
    for (const answer of answers) if (answer) acknowledged.push(answer);
    const [first] = answers;
    if (!first) return;
    onOrder(first);
    if (!random.chance(CANCELLED_SHARE)) return;
    const after = random.next() * (random.chance(0.8) ? CANCELLED_WITHIN_MS : LATE_CANCELLATION_MS);
    const work = cancel(first.id, after, random.chance(0.2) ? 3 : 1);
    cancelling.add(work);
    void work.finally(() => cancelling.delete(work));
  };

  /** Some cancellations are sent three times concurrently, with and without an idempotency key. */
  const cancel = async (id: string, after: number, senders: number): Promise<void> => {
    await rest(after);
    const answers = await Promise.all(
      Array.from({ length: senders }, (_, sender) =>
        customer.cancel(id, sender === 2 ? null : `${label}-cancel-${id}`),
      ),
    );
    if (answers.includes(true)) cancelled.push(id);
  };

  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted && sent < LIMIT) {
      await orderOnce();
      await rest(waitBetween * (0.5 + random.next()));
    }
  };
  const adjust = async (): Promise<void> => {
    for (let index = 0; !stopping.signal.aborted; index += 1) {
      const delta = random.between(1, 9) * (random.chance(0.6) ? 1 : -1);
      const { id } = random.pick(products);
      adjusted.push(await customer.adjust(id, delta, `${label}-adjustment-${index}`));
      await rest(ADJUSTMENT_EVERY_MS);
    }
  };
  const working = Promise.all([...Array.from({ length: WORKERS }, work), adjust()]);

  return {
    products,
    acknowledged,
    adjusted,
    cancelled,
    more: async (count) => {
      const wanted = acknowledged.length + count;
      await eventually(
        () => acknowledged.length,
        (length) => length >= wanted,
        { until: `${count} more orders are acknowledged`, within: MORE_WITHIN_MS },
      );
    },
    stop: async () => {
      stopping.abort();
      await working;
      await Promise.all(cancelling);
    },
  };
}
