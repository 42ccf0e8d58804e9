/**
 * Child process that sends orders at a steady rate. It is separate because a process with hundreds
 * of reading clients could not keep the rate. Arguments: URL, orders per second, stock ids. Answers
 * the first message with the result.
 */
import process, { argv } from 'node:process';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { paceOrders } from '@gudang/testing/clients/order-load';

const [url = '', ordersPerSecond = '', ...ids] = argv.slice(2);
const over = new AbortController();
const orders = paceOrders(
  { graph: graphAt(url) },
  { ids, ordersPerSecond: Number(ordersPerSecond), until: over.signal },
);
process.once('message', async () => {
  over.abort();
  process.send?.(await orders);
});
process.send?.('ready');
