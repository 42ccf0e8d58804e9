import { randomUUID } from 'node:crypto';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});

const codeOf = (errors: readonly { extensions?: Readonly<Record<string, unknown>> }[] = []) =>
  errors.map(({ extensions }) => extensions?.['code']);

describe('the order path', () => {
  test('creates a PENDING order, confirms it, and records it in the stock, the ledger and both databases', async () => {
    const { graph, databases } = system();
    const stock = await shop.addStock({ quantity: 100 });
    const taken = await shop.createOrder({ productId: stock.id, quantity: 10 });
    expect(taken).toMatchObject({ status: 'PENDING', rejectionReason: null, decidedAt: null });

    const decided = await shop.decided(taken.id);
    expect(decided).toMatchObject({ ...taken, status: 'CONFIRMED', decidedAt: expect.any(String) });
    expect(Date.parse(decided.decidedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(taken.createdAt));

    const { stock: shown } = await dataOf(
      graph(
        `query ($id: ID!) { stock(id: $id) { quantity version updatedAt
          movements { nodes { kind delta quantityAfter version reason at order { id status quantity } } }
          orders { nodes { id status stock { quantity } } } } }`,
        { id: stock.id },
      ),
    );
    expect(shown).toMatchObject({ quantity: 90, version: 2 });
    expect(shown.movements.nodes).toEqual([
      {
        kind: 'ORDERED',
        delta: -10,
        quantityAfter: 90,
        version: 2,
        reason: null,
        at: shown.updatedAt,
        order: { id: taken.id, status: 'CONFIRMED', quantity: 10 },
      },
      expect.objectContaining({ kind: 'CREATED', delta: 100, quantityAfter: 100, order: null }),
    ]);
    expect(shown.orders.nodes).toEqual([
      { id: taken.id, status: 'CONFIRMED', stock: { quantity: 90 } },
    ]);

    const [decision] = await databases.stock('SELECT * FROM decisions WHERE order_id = $1', [
      taken.id,
    ]);
    expect(decision).toMatchObject({ status: 'CONFIRMED', quantity: 10, quantity_after: 90 });
    for (const ask of [databases.order, databases.stock]) {
      await expect
        .poll(() => ask('SELECT topic FROM outbox'), { message: 'the outbox is empty' })
        .toHaveLength(0);
    }
  });

  test('rejects an order that exceeds the quantity of the stock, and leaves the stock unchanged', async () => {
    const stock = await shop.addStock({ quantity: 5 });
    const taken = await shop.createOrder({ productId: stock.id, quantity: 6 });
    expect(await shop.decided(taken.id)).toMatchObject({
      status: 'REJECTED',
      rejectionReason: 'OUT_OF_STOCK',
    });
    expect(await shop.stock(stock.id)).toEqual(stock);
    // The rejected order took nothing, so an order for the whole quantity is confirmed.
    const fits = await shop.createOrder({ productId: stock.id, quantity: 5 });
    expect(await shop.decided(fits.id)).toMatchObject({ status: 'CONFIRMED' });
    expect(await shop.stock(stock.id)).toMatchObject({ quantity: 0, version: 2 });
  });

  test('rejects an order for an unknown product and shows its stock as null, without an error', async () => {
    const productId = `nothing-${randomUUID()}`;
    const taken = await shop.createOrder({ productId, quantity: 1 });
    expect(await shop.decided(taken.id)).toMatchObject({
      status: 'REJECTED',
      rejectionReason: 'UNKNOWN_PRODUCT',
    });
    const query = 'query ($id: ID!) { order(id: $id) { productId stock { id name } } }';
    const { data, errors } = await system().graph(query, { id: taken.id });
    expect(errors).toBeUndefined();
    expect(data.order).toEqual({ productId, stock: null });
  });

  test('returns null for an unknown id in a query', async () => {
    expect(await shop.order(randomUUID())).toBeNull();
    expect(await shop.order('no UUID')).toBeNull();
    expect(await shop.stock(randomUUID())).toBeNull();
  });
});

describe('idempotencyKey', () => {
  test('makes 50 concurrent requests with the same key create a single order and return its id', async () => {
    const stock = await shop.addStock({ quantity: 100 });
    const input = { productId: stock.id, quantity: 2, idempotencyKey: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 50 }, () => shop.createOrder(input)));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);

    const [first] = answers;
    await shop.decided(first?.id ?? '');
    const rows = await system().databases.order('SELECT id FROM orders WHERE product_id = $1', [
      stock.id,
    ]);
    expect(rows).toEqual([{ id: first?.id }]);
    expect(await shop.stock(stock.id)).toMatchObject({ quantity: 98 });
    // A later request with the same key returns the same order, which has been decided in the meantime.
    expect(await shop.createOrder(input)).toMatchObject({ id: first?.id, status: 'CONFIRMED' });
  });

  test('is rejected with IDEMPOTENCY_CONFLICT if the input differs', async () => {
    const stock = await shop.addStock({ quantity: 10 });
    const idempotencyKey = randomUUID();
    await shop.createOrder({ productId: stock.id, quantity: 1, idempotencyKey });
    for (const other of [
      { productId: stock.id, quantity: 2 },
      { productId: 'another', quantity: 1 },
    ]) {
      const { data, errors } = await system().graph(
        'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }',
        { input: { ...other, idempotencyKey } },
      );
      expect(data).toBeNull();
      expect(errors).toMatchObject([
        { extensions: { code: 'IDEMPOTENCY_CONFLICT', argument: 'input.idempotencyKey' } },
      ]);
    }
  });
});

describe('stock mutation', () => {
  test('addStock fails with ALREADY_EXISTS for an existing id', async () => {
    const stock = await shop.addStock({ id: `sku-${randomUUID()}`, quantity: 1 });
    const { errors } = await system().graph(
      'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }',
      { input: { id: stock.id, name: 'again', quantity: 2 } },
    );
    expect(errors).toMatchObject([
      { extensions: { code: 'ALREADY_EXISTS', argument: 'input.id' } },
    ]);
    expect(await shop.stock(stock.id)).toEqual(stock);
  });

  test('updateStock fails with VERSION_CONFLICT if expectedVersion is not the current version', async () => {
    const stock = await shop.addStock({ quantity: 1 });
    const update = (expectedVersion: number, quantity: number) =>
      system().graph(
        `mutation ($id: ID!, $input: UpdateStockInput!) {
          updateStock(id: $id, input: $input) { id name quantity version } }`,
        { id: stock.id, input: { name: 'Teh', quantity, expectedVersion } },
      );
    expect(await dataOf(update(1, 7))).toEqual({
      updateStock: { id: stock.id, name: 'Teh', quantity: 7, version: 2 },
    });
    const { errors } = await update(1, 8);
    expect(errors).toMatchObject([
      { extensions: { code: 'VERSION_CONFLICT', argument: 'input.expectedVersion', version: 2 } },
    ]);
    expect(await shop.stock(stock.id)).toMatchObject({ quantity: 7, version: 2 });
  });

  test('adjustStock changes the quantity, and rejects a change to a quantity below 0', async () => {
    const stock = await shop.addStock({ quantity: 10 });
    const adjust = (delta: number) =>
      system().graph(
        `mutation ($id: ID!, $delta: Int!) { adjustStock(id: $id, delta: $delta, reason: "broken") {
          quantity version movements(first: 1) { nodes { kind delta reason quantityAfter } } } }`,
        { id: stock.id, delta },
      );
    expect(await dataOf(adjust(-4))).toEqual({
      adjustStock: {
        quantity: 6,
        version: 2,
        movements: {
          nodes: [{ kind: 'ADJUSTED', delta: -4, reason: 'broken', quantityAfter: 6 }],
        },
      },
    });
    const { errors } = await adjust(-7);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument: 'delta' } }]);
    expect(await shop.stock(stock.id)).toMatchObject({ quantity: 6, version: 2 });
  });

  test('addStock accepts the id of a deleted stock and continues its version numbers', async () => {
    const stock = await shop.addStock({ id: `sku-${randomUUID()}`, quantity: 4 });
    const sold = await shop.createOrder({ productId: stock.id, quantity: 1 });
    await shop.decided(sold.id);
    expect(await shop.deleteStock(stock.id)).toMatchObject({ quantity: 3, version: 3 });

    expect(await shop.stock(stock.id)).toBeNull();
    const { data, errors } = await system().graph(
      'query ($id: ID!) { order(id: $id) { status stock { name } } }',
      { id: sold.id },
    );
    expect(errors).toBeUndefined();
    expect(data.order).toEqual({ status: 'CONFIRMED', stock: null });
    const late = await shop.createOrder({ productId: stock.id, quantity: 1 });
    expect(await shop.decided(late.id)).toMatchObject({ rejectionReason: 'UNKNOWN_PRODUCT' });
    const again = await system().graph('mutation ($id: ID!) { deleteStock(id: $id) { id } }', {
      id: stock.id,
    });
    expect(codeOf(again.errors)).toEqual(['NOT_FOUND']);

    expect(await shop.addStock({ id: stock.id, quantity: 9 })).toMatchObject({
      quantity: 9,
      version: 4,
    });
    const { stock: shown } = await dataOf(
      system().graph(
        'query ($id: ID!) { stock(id: $id) { movements { nodes { kind delta version quantityAfter } } } }',
        { id: stock.id },
      ),
    );
    expect(shown.movements.nodes).toEqual([
      { kind: 'CREATED', delta: 9, version: 4, quantityAfter: 9 },
      { kind: 'DELETED', delta: -3, version: 3, quantityAfter: 0 },
      { kind: 'ORDERED', delta: -1, version: 2, quantityAfter: 3 },
      { kind: 'CREATED', delta: 4, version: 1, quantityAfter: 4 },
    ]);
  });
});
