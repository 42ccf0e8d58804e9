import { randomUUID } from 'node:crypto';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { startTcpProxy, type TcpProxy } from '@gudang/testing/proxy/tcp-proxy';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badRequests } from './bad-requests.ts';
import { JSON_TYPE, json, type RestRequest, sendRequest } from './rest-client.ts';

const proxies: TcpProxy[] = [];
const system = useSystem({
  through: async ({ to }, address) => {
    if (to !== 'postgres') return address;
    const url = new URL(address);
    const proxy = await startTcpProxy({ port: Number(url.port) });
    proxies.push(proxy);
    url.port = String(proxy.port);
    return url.href;
  },
});
afterAll(() => Promise.all(proxies.map((proxy) => proxy.stop())));

const order = (request: RestRequest) => sendRequest(system().order.url, request);
const stock = (request: RestRequest) => sendRequest(system().stock.url, request);

async function addStock(quantity: number): Promise<string> {
  const body = json({ name: 'Kopi', quantity });
  return (await stock({ route: 'POST /stock/add-stock', body })).body.Data.id;
}

describe('legacy routes', () => {
  test('add an order and list orders newest first, with and without a trailing slash', async () => {
    const productid = await addStock(5);
    const added = await order({
      route: 'POST /order/add-order',
      body: json({ productid, quantity: 2, comment: 'unknown fields are ignored' }),
    });
    expect(added).toEqual({
      status: 201,
      body: {
        Message: 'Berhasil Menambahkan Data',
        Data: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), productid, quantity: 2 },
      },
    });
    for (const route of ['GET /order/', 'GET /order']) {
      const listed = await order({ route });
      expect(listed.status).toBe(200);
      expect(listed.body.Message).toBe('Berhasil Mendapatkan Data Order');
      expect(listed.body.Data[0]).toEqual(added.body.Data);
    }
  });

  test('add, get, list, update and delete a stock', async () => {
    const added = await stock({
      route: 'POST /stock/add-stock',
      body: json({ name: 'Kopi 𝄞', quantity: 0 }),
    });
    const id = added.body.Data.id as string;
    const Data = { id, name: 'Kopi 𝄞', quantity: 0 };
    expect(added).toEqual({ status: 200, body: { Message: 'Berhasil Menambahkan Data', Data } });
    expect(await stock({ route: `GET /stock/${id}` })).toEqual({
      status: 200,
      body: { Message: 'Berhasil Mendapatkan Data Berdasarkan ID', Data },
    });
    for (const route of ['GET /stock/', 'GET /stock']) {
      const { status, body } = await stock({ route });
      expect({ status, message: body.Message, first: body.Data[0] }).toEqual({
        status: 200,
        message: 'Berhasil Mendapatkan Data Stock',
        first: Data,
      });
    }

    const body = json({ name: 'Teh', quantity: 7 });
    const set = { id, name: 'Teh', quantity: 7 };
    expect(await stock({ route: `PUT /stock/update/${id}`, body })).toEqual({
      status: 200,
      body: { Message: 'Berhasil Mengubah Data', Data: set },
    });
    // Many clients send a JSON content type although the request has no body.
    const deletion = { route: `DELETE /stock/delete/${id}`, headers: JSON_TYPE };
    expect(await stock(deletion)).toEqual({
      status: 200,
      body: { Message: 'Berhasil Menghapus Data' },
    });
    const missing = {
      Message: 'Data Tidak Ditemukan',
      Error: `There is no stock with the id "${id}"`,
    };
    expect(await stock({ route: `GET /stock/${id}` })).toEqual({ status: 404, body: missing });
    expect(await stock(deletion)).toEqual({ status: 404, body: missing });
  });

  test('accept an id with characters that must be encoded in a URL', async () => {
    const id = `a/b ${'𝄞'.repeat(60)}${randomUUID().slice(0, 30)}`;
    const input = { id, name: 'Kopi', quantity: 3 };
    const mutation = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
    expect(await system().graph(mutation, { input })).toMatchObject({ errors: undefined });
    const { status, body } = await stock({ route: `GET /stock/${encodeURIComponent(id)}` });
    expect({ status, Data: body.Data }).toEqual({ status: 200, Data: input });
  });

  test('show the remaining quantity within 2 seconds after an order', async () => {
    const id = await addStock(100);
    await order({ route: 'POST /order/add-order', body: json({ productid: id, quantity: 10 }) });
    const read = async () => (await stock({ route: `GET /stock/${id}` })).body.Data.quantity;
    await expect.poll(read, { timeout: 2_000 }).toBe(90);
  });
});

test('each of 100 concurrent orders is accepted once', async () => {
  const id = await addStock(1_000);
  const body = json({ productid: id, quantity: 1 });
  const ordering = Array.from({ length: 100 }, () =>
    order({ route: 'POST /order/add-order', body }),
  );
  const statuses = (await Promise.all(ordering)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([201]));
  const read = async () => (await stock({ route: `GET /stock/${id}` })).body.Data.quantity;
  await expect.poll(read).toBe(900);
});

test.each(badRequests)('$route rejects $what', async ({ service, status, error, ...request }) => {
  if (request.route.includes('/known')) {
    const route = request.route.replace('known', await addStock(1));
    request = { ...request, route };
  }
  const answer = await sendRequest(system()[service].url, request);
  expect(answer).toEqual({
    status,
    body: {
      Message: status === 400 ? 'Format Request Tidak Sesuai' : 'Data Tidak Ditemukan',
      Error: expect.stringMatching(error),
    },
  });
});

test('a repeated Idempotency-Key returns the same order, or is rejected if the body differs', async () => {
  const headers = { ...JSON_TYPE, 'idempotency-key': randomUUID() };
  const productid = await addStock(5);
  const send = (quantity: number) =>
    order({ route: 'POST /order/add-order', headers, body: json({ productid, quantity }) });
  const [first, second] = await Promise.all([send(2), send(2)]);
  expect(first.status).toBe(201);
  expect(second).toEqual(first);
  expect(await send(3)).toEqual({
    status: 422,
    body: {
      Message: 'Format Request Tidak Sesuai',
      Error: 'This Idempotency-Key was used with another body; use a new one',
    },
  });
});

describe('the header Idempotency-Key at the gateway', () => {
  const headed = (key: string) =>
    graphAt(`${system().gateway.url}/graphql`, undefined, { 'idempotency-key': key });
  const CREATE = `mutation ($input: CreateOrderInput!) {
    createOrder(input: $input) { id productId quantity } }`;
  const ADJUST = 'mutation ($id: ID!) { adjustStock(id: $id, delta: 1) { quantity version } }';

  test('makes each of 50 parallel retries of a mutation the same change', async () => {
    const id = await addStock(5);
    const send = headed(randomUUID());
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => dataOf(send(ADJUST, { id }))),
    );
    expect(answers).toEqual(answers.map(() => ({ adjustStock: { quantity: 6, version: 2 } })));
    expect(await dataOf(headed(randomUUID())(ADJUST, { id }))).toEqual({
      adjustStock: { quantity: 7, version: 3 },
    });
  });

  test('is the same key as the header of REST, and as the argument', async () => {
    const productId = await addStock(5);
    const key = randomUUID();
    const headers = { ...JSON_TYPE, 'idempotency-key': key };
    const body = json({ productid: productId, quantity: 2 });
    const { id } = (await order({ route: 'POST /order/add-order', headers, body })).body.Data;
    const input = { productId, quantity: 2 };
    const asked = [
      headed(key)(CREATE, { input }),
      system().graph(CREATE, { input: { ...input, idempotencyKey: key } }),
      headed(key)(CREATE, { input: { ...input, idempotencyKey: key } }),
    ];
    for (const one of asked) expect(await dataOf(one)).toEqual({ createOrder: { id, ...input } });
    const { errors } = await headed(key)(CREATE, { input: { ...input, quantity: 3 } });
    expect(errors?.map(({ extensions }) => extensions?.['code'])).toEqual(['IDEMPOTENCY_CONFLICT']);
  });

  test('is too long with more than 100 characters', async () => {
    const { errors } = await headed('k'.repeat(101))(ADJUST, { id: 'any' });
    expect(errors?.map(({ extensions }) => extensions)).toMatchObject([
      { code: 'BAD_USER_INPUT', argument: 'idempotencyKey' },
    ]);
  });
});

test('cancel an order, with and without a body', async () => {
  const productid = await addStock(5);
  const place = async () =>
    (await order({ route: 'POST /order/add-order', body: json({ productid, quantity: 2 }) })).body
      .Data;
  for (const request of [
    {},
    { headers: JSON_TYPE },
    { headers: { ...JSON_TYPE, 'idempotency-key': 'k' }, body: json({ reason: 'Salah pesan' }) },
  ]) {
    const placed = await place();
    const answer = await order({ route: `POST /order/cancel/${placed.id}`, ...request });
    expect(answer).toEqual({
      status: 200,
      body: {
        Message: 'Berhasil Membatalkan Order',
        Data: { ...placed, status: expect.stringMatching(/^(PENDING|CONFIRMED)$/) },
      },
    });
    const stored = await system().databases.order(
      `SELECT cancel_reason FROM orders WHERE id = '${placed.id}' AND cancel_requested_at IS NOT NULL`,
    );
    expect(stored).toEqual([{ cancel_reason: 'body' in request ? 'Salah pesan' : null }]);
  }
  const other = await place();
  const repeated = { headers: { ...JSON_TYPE, 'idempotency-key': 'k' }, body: json({}) };
  expect(await order({ route: `POST /order/cancel/${other.id}`, ...repeated })).toEqual({
    status: 422,
    body: {
      Message: 'Format Request Tidak Sesuai',
      Error: 'This Idempotency-Key was used with another body; use a new one',
    },
  });
});

describe('lists', () => {
  beforeAll(async () => {
    const { databases } = system();
    await databases.order(`INSERT INTO orders (id, product_id, quantity, status, decided_at)
      SELECT gen_random_uuid(), 'many', 1, 'CONFIRMED', now() FROM generate_series(1, 1001)`);
    await databases.stock(`INSERT INTO stocks (id, name, quantity)
      SELECT 'many-' || n, 'Many', 1 FROM generate_series(1, 1001) AS n`);
  });

  test('contain only the newest 1,000 entries', async () => {
    const productid = await addStock(1);
    await order({ route: 'POST /order/add-order', body: json({ productid, quantity: 1 }) });
    const orders = (await order({ route: 'GET /order/' })).body.Data;
    expect([orders.length, orders[0].productid]).toEqual([1_000, productid]);
    const stocks = (await stock({ route: 'GET /stock/' })).body.Data;
    expect([stocks.length, stocks[0].id]).toEqual([1_000, productid]);
  });
});

test('every route reports an unavailable database, and works again when the database returns', async () => {
  const id = await addStock(1);
  const body = json({ name: 'Kopi', quantity: 1 });
  const ordering = json({ productid: id, quantity: 1 });
  await Promise.all(proxies.map((proxy) => proxy.cut()));
  const answers = await Promise.all([
    order({ route: 'GET /order/' }),
    order({ route: 'POST /order/add-order', body: ordering }),
    order({ route: `POST /order/cancel/${randomUUID()}` }),
    stock({ route: 'GET /stock/' }),
    stock({ route: `GET /stock/${id}` }),
    stock({ route: 'POST /stock/add-stock', body }),
    stock({ route: `PUT /stock/update/${id}`, body }),
    stock({ route: `DELETE /stock/delete/${id}` }),
  ]);
  for (const answer of answers) {
    expect(answer).toEqual({
      status: 500,
      body: {
        Message: 'Terjadi Kesalahan Pada Server',
        Error: expect.stringMatching(
          /^The database does not answer right now; try again \([\w-]+\)$/,
        ),
      },
    });
  }
  await Promise.all(proxies.map((proxy) => proxy.restore()));
  const read = async () => [
    (await order({ route: 'POST /order/add-order', body: ordering })).status,
    (await stock({ route: `GET /stock/${id}` })).status,
  ];
  await eventually(read, (seen) => seen.join() === '201,200', { until: 'both work again' });
});
