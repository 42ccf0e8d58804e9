import { randomUUID } from 'node:crypto';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, describe, expect, test } from 'vitest';
import { JSON_TYPE, json, sendRequest } from '../rest/rest-client.ts';
import { startWithheldAnswers, type WithheldAnswers } from './withheld-answers.ts';

const BATCH = 1_000;

let stockAnswers: WithheldAnswers | undefined;
const system = useSystem({
  through: async ({ from, to }, address) => {
    if (from !== 'gateway' || to !== 'stock' || address.startsWith('ws')) return address;
    stockAnswers ??= await startWithheldAnswers(address);
    return stockAnswers.url;
  },
});
afterAll(() => stockAnswers?.stop());

const withKey = (key: string) =>
  graphAt(`${system().gateway.url}/graphql`, undefined, { 'idempotency-key': key });
const ADD = `mutation ($id: ID, $name: String! = "Kopi", $key: String) {
  addStock(input: { id: $id, name: $name, quantity: 10 }, idempotencyKey: $key) { id } }`;
const ADJUST = `mutation ($id: ID!, $delta: Int!) {
  adjustStock(id: $id, delta: $delta) { quantity version } }`;
const added = async (): Promise<string> => (await dataOf(system().graph(ADD))).addStock.id;
const ledgerOf = (id: string) =>
  system().databases.stock(`SELECT delta FROM movements WHERE stock_id = '${id}' ORDER BY version`);

describe('a mutation of a stock with an idempotency key', () => {
  test('that is repeated after SIGKILL between commit and answer gets the first result', async () => {
    const id = await added();
    const graph = withKey(randomUUID());
    const part = system().stock;
    stockAnswers?.withhold();
    const lost = graph(ADJUST, { id, delta: -3 }).catch(() => undefined);
    await expect.poll(() => ledgerOf(id), { interval: 5 }).toHaveLength(2);
    part.kill('SIGKILL');
    await part.exited;
    stockAnswers?.release();
    expect((await lost)?.data?.adjustStock).toBeUndefined();
    await part.restart();
    await part.ready();
    await dataOf(withKey(randomUUID())(ADJUST, { id, delta: 1 }));
    await expect
      .poll(() => graph(ADJUST, { id, delta: -3 }), { timeout: 10_000 })
      .toMatchObject({ data: { adjustStock: { quantity: 7, version: 2 } } });
    expect(await ledgerOf(id)).toEqual([{ delta: 10 }, { delta: -3 }, { delta: 1 }]);
  });

  test('changes the stock once for 50 parallel clients of two replicas, over GraphQL and REST', async () => {
    const replica = await system().add('stock');
    const id = await added();
    const key = randomUUID();
    const update = `mutation ($id: ID!, $key: String!) { updateStock(id: $id,
      input: { name: "Kopi", quantity: 4 }, idempotencyKey: $key) { quantity } }`;
    const send = [
      () => system().graph(update, { id, key }),
      () => withKey(key)(update, { id, key }),
      () => graphAt(`${replica.url}/graphql`)(update, { id, key }),
      () =>
        sendRequest(replica.url, {
          route: `PUT /stock/update/${id}`,
          body: json({ name: 'Kopi', quantity: 4 }),
          headers: { ...JSON_TYPE, 'idempotency-key': key },
        }),
    ];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => send[index % send.length]?.()),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 200 });
      expect(JSON.stringify(answer)).toContain('"quantity":4');
    }
    expect(await ledgerOf(id)).toEqual([{ delta: 10 }, { delta: -6 }]);
  });

  const teh = (quantity: number) => ({ body: json({ name: 'Teh', quantity }), headers: JSON_TYPE });

  test.each([
    ['POST /stock/add-stock', teh(2), teh(3)],
    ['PUT /stock/update/ID', teh(2), teh(3)],
    ['DELETE /stock/delete/ID', {}, undefined],
  ])('is answered alike when %s is repeated', async (route, sent, other) => {
    const id = await added();
    const key = randomUUID();
    const send = ({ headers = {}, ...rest }: { body?: string; headers?: object }) =>
      sendRequest(system().stock.url, {
        route: route.replace('ID', id),
        headers: { ...headers, 'idempotency-key': key },
        ...rest,
      });
    const first = await send(sent);
    expect(first.status).toBe(200);
    expect(await send(sent)).toEqual(first);
    if (other === undefined) return;
    expect(await send(other)).toEqual({
      status: 422,
      body: {
        Message: 'Format Request Tidak Sesuai',
        Error: 'This Idempotency-Key was used with another body; use a new one',
      },
    });
  });
});

describe('a batch of 1,000 items with texts of maximal length', () => {
  const text = (start: string, length: number): string =>
    start + '😀'.repeat(length - start.length);
  const items = Array.from({ length: BATCH }, (_, index) => ({
    id: text(String(index).padStart(4, '0'), 100),
    name: text('', 255),
    quantity: 2_147_483_647,
  }));
  const run = (field: string, type: string, inputs: readonly object[]) =>
    system().graph(
      `mutation ($inputs: [${type}!]!) { ${field}(inputs: $inputs) {
        stock { id name quantity version createdAt updatedAt } error { code message argument } } }`,
      { inputs },
    );

  test('is within all default limits', async () => {
    const { data, errors } = await run('addStocks', 'AddStockInput', items);
    expect(errors).toBeUndefined();
    expect(data.addStocks).toMatchObject(items.map((stock) => ({ stock, error: null })));
    const reason = text('', 255);
    const updates = items.map((item) => ({ ...item, reason, expectedVersion: 1 }));
    const updated = await run('updateStocks', 'UpdateStocksInput', updates);
    expect(updated.errors).toBeUndefined();
    expect(updated.data.updateStocks).toHaveLength(BATCH);
    expect(updated.data.updateStocks[0]).toMatchObject({ stock: { version: 2 }, error: null });
    const refused = items.map(({ id }) => ({ id, delta: 2_147_483_647, reason }));
    const adjusted = await run('adjustStocks', 'AdjustStocksInput', refused);
    expect(adjusted.errors).toBeUndefined();
    expect(adjusted.data.adjustStocks[BATCH - 1]).toMatchObject({
      stock: null,
      error: { code: 'BAD_USER_INPUT', argument: `inputs[${BATCH - 1}].delta` },
    });
  });
});

test('an error names all invalid arguments of a field, over GraphQL and REST', async () => {
  const query = 'mutation { addStock(input: { id: "", name: "", quantity: -5 }) { id } }';
  const { errors } = await system().graph(query);
  expect(errors).toMatchObject([
    {
      message:
        'input.id is empty; allowed: a text of 1 to 100 characters. ' +
        'input.name is empty; allowed: a text of 1 to 255 characters. ' +
        'input.quantity is -5; allowed: a whole number from 0 to 2,147,483,647',
      extensions: {
        code: 'BAD_USER_INPUT',
        argument: 'input.id',
        invalid: [
          { argument: 'input.id', problem: 'is empty' },
          { argument: 'input.name', allowed: 'a text of 1 to 255 characters' },
          { argument: 'input.quantity', problem: 'is -5' },
        ],
      },
    },
  ]);
  const list = await system().graph(
    '{ orders(first: 0, after: "x", productId: "") { __typename } }',
  );
  expect(list.errors?.[0]?.extensions).toMatchObject({
    invalid: [{ argument: 'first' }, { argument: 'after' }, { argument: 'productId' }],
  });
  const body = json({ name: '', quantity: -5 });
  expect(await sendRequest(system().stock.url, { route: 'POST /stock/add-stock', body })).toEqual({
    status: 400,
    body: {
      Message: 'Format Request Tidak Sesuai',
      Error:
        'name is empty; allowed: a text of 1 to 255 characters. ' +
        'quantity is -5; allowed: a whole number from 0 to 2,147,483,647',
    },
  });
});
