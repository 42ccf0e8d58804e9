/**
 * Orders at a steady rate, from a process of their own: beside hundreds of clients that read, the
 * rate would not hold. Told its work by its arguments; answers the first message with what came
 * of it.
 */
import process, { argv } from 'node:process';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { paceOrders } from '@gudang/testing/clients/order-load';

const [url = '', aSecond = '', ...ids] = argv.slice(2);
const over = new AbortController();
const orders = paceOrders(
  { graph: graphAt(url) },
  { ids, aSecond: Number(aSecond), until: over.signal },
);
process.once('message', async () => {
  over.abort();
  process.send?.(await orders);
});
process.send?.('ready');
