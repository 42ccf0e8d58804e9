import { randomBytes } from 'node:crypto';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { startLiveClient } from '@gudang/testing/clients/live-client';
import { eventually } from '@gudang/testing/eventually';
import type { ServiceProcess } from '@gudang/testing/system/service-process';
import type { CollectedSpan } from './collector.ts';
import { missingSpans } from './expected-trace.ts';

const ALL_WITHIN_MS = 20_000;

/**
 * Sends an order for one unit, subscribes to it, and waits for its whole trace.
 * @param url URL of the graph
 * @param stocks all stock replicas. The function freezes them until the order's stream has started, so that
 * the stream starts with PENDING.
 * @param spans the array to which the collector adds the spans that it receives
 */
export async function traceOneOrder({
  url,
  productId,
  stocks,
  spans,
}: {
  url: string;
  productId: string;
  stocks: readonly ServiceProcess[];
  spans: readonly CollectedSpan[];
}): Promise<{ readonly orderId: string; readonly trace: readonly CollectedSpan[] }> {
  for (const part of stocks) part.kill('SIGSTOP');
  // The flag 01 makes the system sample this trace, even if it samples no other trace.
  const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
  const traced = graphAt(`${url}/graphql`, undefined, { traceparent });
  const { createOrder } = await dataOf(
    traced('mutation ($id: ID!) { createOrder(input: { productId: $id, quantity: 1 }) { id } }', {
      id: productId,
    }),
  );
  const orderId: string = createOrder.id;
  const live = await startLiveClient({
    url: `${url}/graphql`,
    query: `subscription { orderChanged(id: "${orderId}") { status } }`,
  });
  await live.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING');
  for (const part of stocks) part.kill('SIGCONT');

  const traceOf = (): readonly CollectedSpan[] => {
    const consumed = spans.find(({ attributes }) => attributes['gudang.order_id'] === orderId);
    return spans.filter(({ traceId }) => traceId === consumed?.traceId);
  };
  await eventually(
    () => missingSpans(traceOf()),
    (missing) => missing.length === 0,
    { until: 'all spans of the order have arrived', within: ALL_WITHIN_MS },
  );
  await live.close();
  return { orderId, trace: traceOf() };
}
