import { randomUUID } from 'node:crypto';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

const system = useSystem();
let shop: ReturnType<typeof createShopClient>;
beforeAll(() => {
  shop = createShopClient(system().graph);
});

const codeOf = (errors: readonly { extensions?: Readonly<Record<string, unknown>> }[] = []) =>
  errors.map(({ extensions }) => extensions?.['code']);

describe('orderChanged', () => {
  const query = `subscription ($id: ID!) {
    orderChanged(id: $id) { id status rejectionReason decidedAt stock { id } } }`;

  test('sends the state PENDING and then the decision, and completes', async () => {
    const stock = await shop.addStock({ quantity: 1 });
    // The stock service is frozen, so the order is still PENDING when the stream starts.
    system().stock.kill('SIGSTOP');
    try {
      const order = await shop.createOrder({ productId: stock.id, quantity: 1 });
      const watch = await system().live({ query, variables: { id: order.id } });
      await watch.waitFor(({ orderChanged }) => orderChanged.status === 'PENDING', {
        until: 'the current state arrives',
      });
      system().stock.kill('SIGCONT');
      await watch.ended();
      expect(watch.errors()).toEqual([]);
      expect(watch.completed()).toBe(true);
      expect(watch.seen().map(({ orderChanged }) => orderChanged)).toEqual([
        {
          id: order.id,
          status: 'PENDING',
          rejectionReason: null,
          decidedAt: null,
          stock: { id: stock.id },
        },
        {
          id: order.id,
          status: 'CONFIRMED',
          rejectionReason: null,
          decidedAt: expect.any(String),
          stock: { id: stock.id },
        },
      ]);
      await watch.close();
    } finally {
      system().stock.kill('SIGCONT');
    }
  });

  test('sends the final state of a decided order, and completes', async () => {
    const order = await shop.createOrder({ productId: 'unknown', quantity: 1 });
    await shop.decided(order.id);
    const watch = await system().live({ query, variables: { id: order.id } });
    await watch.ended();
    expect(watch.seen().map(({ orderChanged }) => orderChanged.status)).toEqual(['REJECTED']);
    expect(watch.completed()).toBe(true);
    await watch.close();
  });

  test.each([
    ['an unknown id', randomUUID()],
    ['an id that is not a UUID', 'unknown'],
  ])('ends with NOT_FOUND for %s', async (_what, id) => {
    const watch = await system().live({ query, variables: { id } });
    await watch.ended();
    expect(codeOf(watch.errors())).toEqual(['NOT_FOUND']);
    expect(watch.seen()).toEqual([]);
    await watch.close();
  });
});

describe('stockChanged', () => {
  const query = `subscription ($ids: [ID!], $after: String) {
    stockChanged(ids: $ids, after: $after) {
      kind delta cursor at stock { id name quantity version orders(first: 1) { nodes { id quantity } } }
      order { id productId quantity stock { name } } } }`;

  /** Subscribes from a cursor that the caller has read before the change, so the stream includes the change. */
  const watchFrom = async (after: string, ids?: readonly string[]) =>
    system().live({ query, variables: { after, ...(ids ? { ids } : {}) } });

  test('sends the changes by which a stock becomes low, and by which it is no longer low', async () => {
    const stock = await shop.addStock({ quantity: 7 });
    const other = await shop.addStock({ quantity: 1_000 });
    const watch = await system().live({
      query: `subscription ($after: String) { stockChanged(quantityAtMost: 5, after: $after) {
        kind cursor stock { id quantity } } }`,
      variables: { after: await shop.stockCursor() },
    });
    for (const productId of [other.id, stock.id]) {
      for (const quantity of [1, 2]) {
        await shop.decided((await shop.createOrder({ productId, quantity })).id);
      }
    }
    const { graph } = system();
    await dataOf(graph(`mutation { adjustStock(id: "${stock.id}", delta: 50) { id } }`));
    await dataOf(graph(`mutation { adjustStock(id: "${stock.id}", delta: 1) { id } }`));
    await dataOf(graph(`mutation { deleteStock(id: "${stock.id}") { id } }`));
    const last = await shop.addStock({ quantity: 5 });
    await watch.waitFor(({ stockChanged }) => stockChanged.stock.id === last.id);
    const seen = watch.seen().map(({ stockChanged: { kind, stock } }) => [kind, stock]);
    expect(seen).toEqual([
      ['ORDERED', { id: stock.id, quantity: 4 }],
      ['ADJUSTED', { id: stock.id, quantity: 54 }],
      ['CREATED', { id: last.id, quantity: 5 }],
    ]);
    const query = '{ stocks(quantityAtMost: 5, sort: QUANTITY_ASC) { nodes { id } } }';
    const { stocks } = await dataOf(graph(query));
    expect(stocks.nodes.map(({ id }: { id: string }) => id)).toContain(last.id);
    await watch.close();
  });

  test('sends changes with fields of both subgraphs', async () => {
    const after = await shop.stockCursor();
    const stock = await shop.addStock({ name: 'Kopi Gayo', quantity: 100 });
    const watch = await watchFrom(after);
    const order = await shop.createOrder({ productId: stock.id, quantity: 10 });
    const ordered = await watch.waitFor(
      ({ stockChanged }) => stockChanged.kind === 'ORDERED' && stockChanged.stock.id === stock.id,
    );
    expect(ordered.errors).toBeUndefined();
    expect(ordered.data.stockChanged).toEqual({
      kind: 'ORDERED',
      delta: -10,
      cursor: expect.any(String),
      at: expect.stringMatching(/^\d{4}-.*T.*Z$/),
      stock: {
        id: stock.id,
        name: 'Kopi Gayo',
        quantity: 90,
        version: 2,
        orders: { nodes: [{ id: order.id, quantity: 10 }] },
      },
      order: {
        id: order.id,
        productId: stock.id,
        quantity: 10,
        stock: { name: 'Kopi Gayo' },
      },
    });
    await watch.close();
  });

  test('sends all kinds of changes of the given stocks in order, and no changes of other stocks', async () => {
    const { graph } = system();
    const after = await shop.stockCursor();
    const id = `sku-${randomUUID()}`;
    const watch = await watchFrom(after, [id]);
    await shop.addStock({ id, quantity: 5 });
    await shop.addStock({ id: `other-${id}`, quantity: 5 });
    const order = await shop.createOrder({ productId: id, quantity: 1 });
    await shop.decided(order.id);
    await dataOf(graph(`mutation { adjustStock(id: "${id}", delta: 3) { id } }`));
    await dataOf(
      graph(`mutation { updateStock(id: "${id}", input: {name: "n", quantity: 2}) { id } }`),
    );
    await shop.deleteStock(id);
    await shop.addStock({ id, quantity: 8 });
    await watch.waitFor(({ stockChanged }) => stockChanged.stock.version === 6);
    expect(
      watch
        .seen()
        .map(({ stockChanged: { kind, delta, stock, order: by } }) => [
          kind,
          delta,
          stock.id,
          stock.quantity,
          stock.version,
          by?.id ?? null,
        ]),
    ).toEqual([
      ['CREATED', 5, id, 5, 1, null],
      ['ORDERED', -1, id, 4, 2, order.id],
      ['ADJUSTED', 3, id, 7, 3, null],
      ['UPDATED', -5, id, 2, 4, null],
      ['DELETED', -2, id, 2, 5, null],
      ['CREATED', 8, id, 8, 6, null],
    ]);
    await watch.close();
  });

  test("resumes from an event's cursor without gap or repeat", async () => {
    const after = await shop.stockCursor();
    const stock = await shop.addStock({ quantity: 20 });
    const watch = await watchFrom(after, [stock.id]);
    for (let i = 0; i < 3; i += 1) await shop.createOrder({ productId: stock.id, quantity: 1 });
    await watch.waitFor(({ stockChanged }) => stockChanged.stock.version === 4);
    await watch.close();
    // Changes without a subscriber.
    for (let i = 0; i < 3; i += 1) await shop.createOrder({ productId: stock.id, quantity: 1 });
    await eventually(
      () => shop.stock(stock.id),
      (seen) => seen?.version === 7,
    );

    const cursors = watch.seen().map(({ stockChanged }) => stockChanged.cursor);
    expect(new Set(cursors).size).toBe(4);
    const resumed = await watchFrom(cursors[1], [stock.id]);
    await shop.createOrder({ productId: stock.id, quantity: 1 });
    await resumed.waitFor(({ stockChanged }) => stockChanged.stock.version === 8);
    expect(
      resumed.seen().map(({ stockChanged: { kind, stock: shown } }) => [kind, shown.version]),
    ).toEqual([3, 4, 5, 6, 7, 8].map((version) => ['ORDERED', version]));
    await resumed.close();
  });

  test('sends a snapshot for a cursor of another epoch, followed by live changes', async () => {
    const stock = await shop.addStock({ name: 'Gula', quantity: 6 });
    const gone = await shop.addStock({ quantity: 3 });
    const own = await shop.stockCursor();
    await shop.deleteStock(gone.id);
    const text = Buffer.from(own, 'base64url').toString();
    const foreign = text.replace(/[0-9a-f-]{36}/, randomUUID());
    expect(foreign).not.toBe(text);

    const watch = await watchFrom(Buffer.from(foreign).toString('base64url'), [stock.id, gone.id]);
    const snapshot = await watch.waitFor(({ stockChanged }) => stockChanged.stock.id === stock.id);
    expect(snapshot.data.stockChanged).toMatchObject({
      kind: 'SNAPSHOT',
      delta: 0,
      order: null,
      stock: { name: 'Gula', quantity: 6, version: 1 },
    });
    await watch.waitFor(({ stockChanged }) => stockChanged.stock.id === gone.id);
    await shop.createOrder({ productId: stock.id, quantity: 1 });
    const live = await watch.waitFor(
      ({ stockChanged }) => stockChanged.stock.version === 2 && stockChanged.stock.id === stock.id,
    );
    expect(live.data.stockChanged).toMatchObject({ kind: 'ORDERED', stock: { quantity: 5 } });
    expect(
      watch
        .seen()
        .map(({ stockChanged: { kind, stock: shown } }) => `${kind} ${shown.id}`)
        .sort(),
    ).toEqual([`DELETED ${gone.id}`, `ORDERED ${stock.id}`, `SNAPSHOT ${stock.id}`].sort());
    await watch.close();
  });

  test('rejects a malformed cursor with BAD_USER_INPUT', async () => {
    const watch = await watchFrom('no cursor');
    await watch.ended();
    expect(watch.errors()).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', argument: 'after' } },
    ]);
    await watch.close();
  });
});
