import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';

const CLIENTS = 100;
const UNITS = 1_000;

/**
 * Adjustments and orders lock the same stock row, so they wait for each other. On a loaded machine
 * some requests time out with a retryable error. Any other failure, or a wrong quantity, violates a
 * guarantee.
 */
export const oneStockAtOnce: Fault = {
  name: 'one-stock-at-once',
  title: '100 concurrent clients of one stock; half of them adjust it',
  short: true,
  run: async ({ customer, addStock, acknowledged, random, label, note }) => {
    const productId = `${label}-one-stock`;
    await addStock(productId, UNITS);
    const order = async (index: number): Promise<boolean> => {
      const idempotencyKey = `${productId}-${index}`;
      const answer = await customer.order({ productId, quantity: 1, idempotencyKey });
      if (answer) acknowledged(answer);
      return answer !== undefined;
    };
    const adjust = async (index: number): Promise<boolean> => {
      const delta = random.chance(0.5) ? 1 : -1;
      return (await customer.adjust(productId, delta, `${productId}-${index}`)).acknowledged;
    };
    const answered = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) =>
        index % 2 === 0 ? order(index) : adjust(index),
      ),
    );
    const done = answered.filter((succeeded) => succeeded).length;
    note(`${done} of ${CLIENTS} requests succeeded at the first attempt`);
    return done;
  },
};

const LAST_UNITS = 10;

export const lastUnits: Fault = {
  name: 'last-units',
  title: '100 concurrent clients for the last 10 units',
  short: true,
  run: async ({ rig, customer, addStock, acknowledged, label, breach }) => {
    const productId = `${label}-last-units`;
    await addStock(productId, LAST_UNITS);
    const answers = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) =>
        customer.order({ productId, quantity: 1, idempotencyKey: `${productId}-${index}` }),
      ),
    );
    for (const answer of answers) if (answer) acknowledged(answer);
    const rows = await eventually(
      () => rig.databases.order('SELECT status FROM orders WHERE product_id = $1', [productId]),
      (found) => found.length === CLIENTS && found.every(({ status }) => status !== 'PENDING'),
      { until: `all ${CLIENTS} orders are decided`, within: 30_000 },
    );
    const confirmed = rows.filter(({ status }) => status === 'CONFIRMED').length;
    if (confirmed !== LAST_UNITS)
      breach(`${confirmed} orders were confirmed for ${LAST_UNITS} units`);
    return answers.filter((answer) => answer !== undefined).length;
  },
};
