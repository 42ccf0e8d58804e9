import { request } from 'node:http';
import { eventually } from '@gudang/testing/eventually';
import { addStock, type RunningSystem } from './running-system.ts';

/** Paths that only operators use, also in forms that a server could decode or normalize. */
const OPERATIONAL = [
  ...['/metrics', '/readyz', '/healthz', '/status'],
  ...['//metrics', '/%6detrics', '/./metrics', '/pages/../metrics', '/METRICS', '/metrics/'],
];
const REST_OPERATIONAL = [
  ...['/graphql', '/metrics', '/readyz', '/healthz', '/%67raphql'],
  ...['/order/../metrics', '/stock/../graphql', '/order/%2e%2e/metrics', '/stock/..%2fmetrics'],
];

/** Statuses of paths that do not exist, or lead out of the folder of pages. */
const HIDDEN = [400, 403, 404];

/** Checks which paths the edge serves, and the legacy REST API. */
export async function checkEdge(system: RunningSystem): Promise<void> {
  const { graphUrl, ordersUrl, stocksUrl, verify } = system;
  const served: string[] = [];
  for (const path of OPERATIONAL) {
    if (!HIDDEN.includes(await statusOf(graphUrl, path))) served.push(path);
  }
  for (const url of [ordersUrl, stocksUrl]) {
    for (const path of REST_OPERATIONAL) {
      if (!HIDDEN.includes(await statusOf(url, path))) served.push(`${url}${path}`);
    }
  }
  const count = OPERATIONAL.length + 2 * REST_OPERATIONAL.length;
  verify(
    'no operational path is public',
    served.length === 0,
    `${count} paths, ${served.join(' ') || 'none served'}`,
  );
  const pages = await Promise.all(
    ['/', '/live', '/graphiql'].map((path) => statusOf(graphUrl, path)),
  );
  verify(
    'the pages are public',
    pages.every((status) => status === 200),
    pages.join(' '),
  );
  await checkRest(system);
}

/** Sends the path as it is: `fetch` would normalize it. */
function statusOf(url: string, path: string): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end();
  });
}

const send = (url: string, body: object): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Runs the scenario that users of the legacy system know. */
async function checkRest({ ordersUrl, stocksUrl, verify }: RunningSystem): Promise<void> {
  const added = await send(`${stocksUrl}/stock/add-stock`, { name: 'Teh', quantity: 100 });
  const { Data } = (await added.json()) as { Data: { id: string } };
  const ordered = await send(`${ordersUrl}/order/add-order`, { productid: Data.id, quantity: 10 });
  const began = performance.now();
  const { Data: stock } = await eventually(
    async () =>
      (await fetch(`${stocksUrl}/stock/${Data.id}`)).json() as Promise<{
        Data: { quantity: number };
      }>,
    (seen) => seen.Data.quantity === 90,
    { until: 'the stock has 90', within: 3_000 },
  );
  const ms = Math.round(performance.now() - began);
  verify(
    'REST: 100 in stock, 10 ordered',
    ordered.status === 201,
    `${stock.quantity} after ${ms} ms`,
  );
}

/** Sends more REST requests than one address may, with a forged client address in each. */
export async function checkRestRate(system: RunningSystem): Promise<void> {
  const { stocksUrl, verify, graph } = system;
  const id = await addStock(graph, 1);
  const statuses = await Promise.all(
    Array.from({ length: 300 }, async (_, at) => {
      const headers = { 'x-forwarded-for': `198.51.100.${at % 250}` };
      return (await fetch(`${stocksUrl}/stock/${id}`, { headers })).status;
    }),
  );
  const refused = statuses.filter((status) => status === 429).length;
  const others = statuses.filter((status) => status !== 429 && status !== 200);
  verify(
    'REST is limited per address, a forged X-Forwarded-For changes nothing',
    refused > 0 && others.length === 0,
    `${refused} of 300 refused with 429`,
  );
}
