import { dataOf } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { addStock, followStock, orderOne, type RunningSystem } from './running-system.ts';

const CLIENTS = 20;

/** Checks that an order settles, and that live clients over websockets and SSE see the change. */
export async function checkLive(system: RunningSystem): Promise<void> {
  const { graph, graphUrl, verify } = system;
  const id = await addStock(graph, 100);
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, () => followStock(graphUrl, id)),
  );
  const events = await openEvents(`${graphUrl}/graphql`, id);
  try {
    const [status, ms] = await orderOne(graph, id);
    verify('an order settles', status === 'CONFIRMED', `${status} after ${Math.round(ms)} ms`);
    await Promise.all(
      clients.map((client) =>
        client.waitFor(({ stockChanged }) => stockChanged.stock.quantity === 99),
      ),
    );
    const text = await eventually(events.text, (seen) => seen.includes('"quantity":99'));
    verify(
      'live clients see it over websockets and SSE',
      text.startsWith('event: next') || text.includes('data:'),
      `${CLIENTS} websockets, 1 event stream`,
    );
    const { stock } = await dataOf(
      graph('query ($id: ID!) { stock(id: $id) { quantity } }', { id }),
    );
    verify('the stock is reduced once', stock.quantity === 99, `${stock.quantity} of 100`);
  } finally {
    events.close();
    await Promise.all(clients.map((client) => client.close()));
  }
}

/** Opens a subscription over server-sent events and collects its text. */
async function openEvents(url: string, id: string) {
  const closing = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({
      query: 'subscription ($ids: [ID!]) { stockChanged(ids: $ids) { stock { quantity } } }',
      variables: { ids: [id] },
    }),
    signal: closing.signal,
  });
  let text = '';
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  })().catch(() => {});
  return {
    text: () => text,
    close: () => {
      closing.abort();
      void reading;
    },
  };
}
