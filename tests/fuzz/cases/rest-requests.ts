import { type FuzzCase, judgeAnswer } from '../case.ts';
import { anyJson, anyText, mutateText } from '../values.ts';

/** Requests to the legacy REST API with random bodies, ids and methods. */
export const restRequests: FuzzCase = async (random, { system, authorization }) => {
  const id = encodeURIComponent(anyText(random, 30).toWellFormed());
  const [origin, path] = random.pick([
    [system.stock.url, '/stock/add-stock'],
    [system.stock.url, `/stock/${id}`],
    [system.stock.url, '/stock/'],
    [system.order.url, '/order/'],
    [system.order.url, '/order/create-order'],
    [system.order.url, `/order/${id}`],
    [system.order.url, `/order/cancel/${id}`],
  ] as const);
  const method = random.pick(['GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE']);
  const valid = JSON.stringify({
    name: 'fuzz',
    quantity: 1,
    productId: 'fuzz',
    product_id: 'fuzz',
  });
  const body = random.pick([
    () => JSON.stringify(anyJson(random)),
    () => mutateText(random, valid),
    () =>
      JSON.stringify({
        name: anyJson(random, 1),
        quantity: anyJson(random, 1),
        productId: anyJson(random, 1),
        product_id: anyJson(random, 1),
      }),
    () => anyText(random, 60),
  ])();
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: {
      authorization,
      'content-type': random.pick(['application/json', 'application/json', 'text/plain', 'x/y']),
    },
    ...(method === 'GET' ? {} : { body }),
  });
  return judgeAnswer(response.status, await response.text());
};
