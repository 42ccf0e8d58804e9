import type { Fault } from '../fault.ts';

const CLIENTS = 100;
const UNITS = 1_000;

/**
 * Adjustments and orders of the same row wait for each other. On a busy machine some wait too long and are told to try
 * again; any other failure is a breach, as is one unit too many or too few.
 */
export const oneStockAtOnce: Fault = {
  name: 'one-stock-at-once',
  title: '100 clients at once on one stock, half of them adjusting it',
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
    const done = answered.filter((heard) => heard).length;
    note(`${done} of ${CLIENTS} requests were done at the first try`);
    return done;
  },
};
