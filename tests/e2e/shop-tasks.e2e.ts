import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});

/** The tasks of a shop, each with one operation of the graph. */
describe('a shop', () => {
  test('imports 1,000 products with one mutation and a result for each, although one id is a duplicate', async () => {
    const inputs = Array.from({ length: 1_000 }, (_, index) => ({
      id: `import-${index === 500 ? 499 : index}`,
      name: `Kopi ${index}`,
      quantity: index,
    }));
    const { addStocks } = await dataOf(
      system().graph(
        `mutation ($inputs: [AddStockInput!]!) {
          addStocks(inputs: $inputs) { stock { id quantity } error { code argument } } }`,
        { inputs },
      ),
    );
    expect(addStocks).toEqual(
      inputs.map(({ id, quantity }, index) =>
        index === 500
          ? { stock: null, error: { code: 'ALREADY_EXISTS', argument: 'inputs[500].id' } }
          : { stock: { id, quantity }, error: null },
      ),
    );
  });

  test('lists the orders of a period', async () => {
    const { id: productId } = await shop.addStock({ quantity: 10 });
    const orders = [];
    for (let count = 0; count < 4; count += 1) {
      orders.push(await shop.decided((await shop.createOrder({ productId, quantity: 1 })).id));
    }
    const [, second, third, fourth] = orders;
    const found = await dataOf(
      system().graph(
        `query ($productId: ID!, $after: DateTime!, $before: DateTime!) {
          orders(productId: $productId, createdAfter: $after, createdBefore: $before) { nodes { id } } }`,
        { productId, after: second?.createdAt, before: fourth?.createdAt },
      ),
    );
    expect(found.orders.nodes).toEqual([{ id: third?.id }, { id: second?.id }]);
  });

  test('lists and watches the stocks of which little is left', async () => {
    const full = await shop.addStock({ id: 'full', quantity: 2_000_000 });
    const low = await shop.addStock({ id: 'low', quantity: 2_000_000 });
    const live = await system().live({
      query: `subscription ($after: String!) {
        stockChanged(quantityAtMost: 1999995, after: $after) { kind stock { id quantity } } }`,
      variables: { after: await shop.stockCursor() },
    });
    await shop.adjustStock(full.id, -1);
    await shop.adjustStock(low.id, -5);
    await shop.adjustStock(low.id, 5);
    const change = (quantity: number) => ({
      stockChanged: { kind: 'ADJUSTED', stock: { id: low.id, quantity } },
    });
    await live.waitFor(({ stockChanged }) => stockChanged.stock.quantity === 2_000_000);
    expect(live.seen()).toEqual([change(1_999_995), change(2_000_000)]);
    await live.close();

    const few = await shop.addStock({ quantity: 3 });
    const { stocks } = await dataOf(
      system().graph(
        '{ stocks(quantityAtMost: 3, sort: QUANTITY_ASC, first: 100) { nodes { id quantity } } }',
      ),
    );
    const quantities = stocks.nodes.map(({ quantity }: { quantity: number }) => quantity);
    expect(stocks.nodes).toContainEqual({ id: few.id, quantity: 3 });
    expect(quantities).toEqual(quantities.toSorted((a: number, b: number) => a - b));
    expect(quantities.at(-1)).toBe(3);
  });

  test('cancels an order and gets its quantity back', async () => {
    const { id: productId } = await shop.addStock({ quantity: 10 });
    const { id } = await shop.createOrder({ productId, quantity: 4 });
    await shop.decided(id);
    await dataOf(
      system().graph('mutation ($id: ID!) { cancelOrder(id: $id, reason: "wrong size") { id } }', {
        id,
      }),
    );
    const order = await eventually(
      () => shop.order(id),
      (seen) => String(seen?.status) === 'CANCELLED',
      { until: 'the order is cancelled' },
    );
    expect(order).toMatchObject({ status: 'CANCELLED' });
    expect(await shop.stock(productId)).toMatchObject({ quantity: 10, version: 3 });
  });

  test('corrects the count of a stock that it has read, with a reason and without repeating the name', async () => {
    const { id, version } = await shop.addStock({ name: 'Teh', quantity: 10 });
    const correct = (expectedVersion: number) =>
      system().graph(
        `mutation ($id: ID!, $input: UpdateStockInput!) {
          updateStock(id: $id, input: $input) {
            name quantity movements(first: 1) { nodes { kind delta reason } } } }`,
        { id, input: { quantity: 7, reason: 'counted', expectedVersion } },
      );
    expect((await dataOf(correct(version))).updateStock).toEqual({
      name: 'Teh',
      quantity: 7,
      movements: { nodes: [{ kind: 'UPDATED', delta: -3, reason: 'counted' }] },
    });
    expect((await correct(version)).errors?.[0]?.extensions).toMatchObject({
      code: 'VERSION_CONFLICT',
    });
  });

  test('repeats a change whose answer was lost, and the change counts once', async () => {
    const { id } = await shop.addStock({ quantity: 10 });
    const keyed = graphAt(`${system().gateway.url}/graphql`, undefined, {
      'idempotency-key': `adjust ${id}`,
    });
    const adjust = 'mutation ($id: ID!) { adjustStock(id: $id, delta: -3) { quantity version } }';
    const answers = [await keyed(adjust, { id }), await keyed(adjust, { id })];
    for (const { data } of answers)
      expect(data).toEqual({ adjustStock: { quantity: 7, version: 2 } });
    expect(await shop.stock(id)).toMatchObject({ quantity: 7, version: 2 });
  });

  test('is told if an idempotency key cannot be used', async () => {
    const keyed = graphAt(`${system().gateway.url}/graphql`, undefined, {
      'idempotency-key': 'two changes',
    });
    const { id } = await shop.addStock({ quantity: 10 });
    const answer = await keyed(
      `mutation ($id: ID!) {
        a: adjustStock(id: $id, delta: 1) { quantity } b: adjustStock(id: $id, delta: 1) { quantity } }`,
      { id },
    );
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await shop.stock(id)).toMatchObject({ quantity: 10 });
  });

  test('watches the orders of a customer', async () => {
    const { id: productId } = await shop.addStock({ quantity: 10 });
    const { orderCursor } = await dataOf(system().graph('{ orderCursor }'));
    const live = await system().live({
      query: `subscription ($productId: ID!, $after: String!) {
        ordersChanged(productId: $productId, after: $after) { kind order { id status } } }`,
      variables: { productId, after: orderCursor },
    });
    const { id } = await shop.createOrder({ productId, quantity: 1 });
    await live.waitFor(({ ordersChanged }) => ordersChanged.kind === 'CONFIRMED');
    expect(live.seen()).toEqual([
      { ordersChanged: { kind: 'CREATED', order: { id, status: 'PENDING' } } },
      { ordersChanged: { kind: 'CONFIRMED', order: { id, status: 'CONFIRMED' } } },
    ]);
    await live.close();
  });

  test('reads its stocks and the position from which it watches them with one operation', async () => {
    const { id } = await shop.addStock({ quantity: 10 });
    const { stock, stockCursor } = await dataOf(
      system().graph('query ($id: ID!) { stockCursor stock(id: $id) { quantity version } }', {
        id,
      }),
    );
    await shop.adjustStock(id, -1);
    const live = await system().live({
      query: `subscription ($ids: [ID!], $after: String!) {
        stockChanged(ids: $ids, after: $after) { stock { quantity version } } }`,
      variables: { ids: [id], after: stockCursor },
    });
    const { data } = await live.waitFor(
      ({ stockChanged }) => stockChanged.stock.version > stock.version,
    );
    expect(data.stockChanged.stock).toEqual({ quantity: 9, version: 2 });
    await live.close();
  });
});
