import { eventually } from '@gudang/testing/eventually';
import type { Fault } from '../fault.ts';

const CLIENTS = 100;
const UNITS = 10;

export const lastUnits: Fault = {
  name: 'last-units',
  title: '100 clients at once on the last 10 units',
  short: true,
  run: async ({ rig, customer, addStock, acknowledged, label, breach }) => {
    const productId = `${label}-last-units`;
    await addStock(productId, UNITS);
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
    if (confirmed !== UNITS) breach(`${confirmed} orders were confirmed of ${UNITS} units`);
    return answers.filter((answer) => answer !== undefined).length;
  },
};
