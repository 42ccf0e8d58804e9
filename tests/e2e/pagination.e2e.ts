import { randomUUID } from 'node:crypto';
import { dataOf } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { useSystem } from '@gudang/testing/system/use-system';
import { beforeAll, describe, expect, test } from 'vitest';

interface Page {
  readonly nodes: readonly { readonly id: string }[];
  readonly edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** Fetches one page of a list. The arguments are, for example, `first: 3, after: "…"`. */
type FetchPage = (range: Record<string, unknown>) => Promise<Page>;

const PAGE = (node: string) =>
  `nodes { ${node} } edges { cursor node { ${node} } }
   pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

// The reconciler is disabled, because it would publish the inserted PENDING orders.
const system = useSystem({ environment: { order: { RECONCILE_AFTER: '0' } } });

/** Arguments whose values are written without quotes. */
const ENUMS = new Set(['status', 'sort']);

const call = (field: string, given: Record<string, unknown>): string => {
  const list = Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${ENUMS.has(key) ? value : JSON.stringify(value)}`);
  return list.length > 0 ? `${field}(${list.join(', ')})` : field;
};

const listOf =
  (field: 'orders' | 'stocks', filter: Record<string, unknown> = {}): FetchPage =>
  async (range) => {
    const query = `{ ${call(field, { ...filter, ...range })} { ${PAGE('id')} } }`;
    return (await dataOf(system().graph(query)))[field];
  };

const listOfStock =
  (id: string, field: 'orders' | 'movements', filter: Record<string, unknown> = {}): FetchPage =>
  async (range) => {
    const node = field === 'orders' ? 'id' : 'id: version';
    const query = `{ stock(id: "${id}") { list: ${call(field, { ...filter, ...range })} { ${PAGE(node)} } } }`;
    return (await dataOf(system().graph(query))).stock.list;
  };

const idsOf = (page: Page): string[] => page.nodes.map(({ id }) => id);

/** Asserts that the nodes, the edges and the pageInfo of a page are consistent. */
function check(page: Page): void {
  expect(page.edges.map(({ node }) => node)).toEqual(page.nodes);
  expect(page.pageInfo.startCursor).toBe(page.edges[0]?.cursor ?? null);
  expect(page.pageInfo.endCursor).toBe(page.edges.at(-1)?.cursor ?? null);
}

/** Reads a whole list forward, page by page. Calls `between` after each page. */
async function forward(
  fetchPage: FetchPage,
  first: number,
  between = async () => {},
): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: Page = await fetchPage({ first, ...(after ? { after } : {}) });
    check(page);
    seen.push(...idsOf(page));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    if (!page.pageInfo.hasNextPage) return seen;
    expect(page.nodes).toHaveLength(first);
    after = page.pageInfo.endCursor;
    await between();
  }
}

/** Reads a whole list backward, page by page. */
async function back(fetchPage: FetchPage, last: number): Promise<string[]> {
  const seen: string[] = [];
  for (let before: string | null = null; ; ) {
    const page: Page = await fetchPage({ last, ...(before ? { before } : {}) });
    check(page);
    seen.unshift(...idsOf(page));
    expect(page.pageInfo.hasNextPage).toBe(before !== null);
    if (!page.pageInfo.hasPreviousPage) return seen;
    expect(page.nodes).toHaveLength(last);
    before = page.pageInfo.startCursor;
  }
}

const productId = `product-${randomUUID()}`;
const STATUSES = ['PENDING', 'CONFIRMED', 'REJECTED'];

/** Inserts orders. Up to seven of them are created in the same millisecond. */
async function insertOrders(count: number, product: string, from = '2026-01-01'): Promise<void> {
  await system().databases.order(
    `INSERT INTO orders (id, product_id, quantity, status, rejection_reason, created_at, decided_at)
     SELECT gen_random_uuid(), $2, 1, status::order_status,
       CASE status WHEN 'REJECTED' THEN 'OUT_OF_STOCK'::rejection_reason END, at,
       CASE WHEN status <> 'PENDING' THEN at END
     FROM (SELECT $3::timestamptz + (n / 7) * interval '1 millisecond' AS at,
       ($4::text[])[1 + n % 3] AS status FROM generate_series(0, $1::int - 1) AS n) AS made`,
    [count, product, from, STATUSES],
  );
}

async function storedOrders(where: string, values: readonly unknown[] = []): Promise<string[]> {
  const rows = await system().databases.order(
    `SELECT id FROM orders WHERE ${where} ORDER BY created_at DESC, id DESC`,
    values,
  );
  return rows.map(({ id }) => id);
}

beforeAll(async () => {
  // The stock's quantity is 0, so no order of this product can change the stock.
  await createShopClient(system().graph).addStock({ id: productId, quantity: 0 });
  await insertOrders(45, productId);
  await insertOrders(30, 'another product');
});

describe('the list of orders', () => {
  test.each([4, 44, 45, 100])(
    'has no gap or repeat in pages of %i, forward and backward',
    async (size) => {
      const stored = await storedOrders('product_id = $1', [productId]);
      expect(stored).toHaveLength(45);
      const fetchPage = listOf('orders', { productId });
      expect(await forward(fetchPage, size)).toEqual(stored);
      expect(await back(fetchPage, size)).toEqual(stored);
    },
  );

  test('starts with the newest orders and has 20 per page by default', async () => {
    const page = await listOf('orders')({});
    expect(idsOf(page)).toEqual((await storedOrders('true')).slice(0, 20));
    expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
  });

  test('can be filtered by status, by product and by both', async () => {
    for (const status of STATUSES) {
      const ofAll = await storedOrders('status = $1::order_status', [status]);
      expect(await forward(listOf('orders', { status }), 9)).toEqual(ofAll);
      const both = await storedOrders('status = $1::order_status AND product_id = $2', [
        status,
        productId,
      ]);
      expect(both).toHaveLength(15);
      expect(await forward(listOf('orders', { status, productId }), 4)).toEqual(both);
      expect(await back(listOf('orders', { status, productId }), 4)).toEqual(both);
    }
  });

  test('can be limited to a period, from its start and without its end', async () => {
    const at = (ms: number): string => `2026-01-01T07:00:00.00${ms}+07:00`;
    const within = 'created_at >= $1::timestamptz AND created_at < $2::timestamptz';
    const period = { createdAfter: at(2), createdBefore: at(4) };
    const of = async (filter: object, where: string, values: unknown[]): Promise<void> => {
      const stored = await storedOrders(where, values);
      const fetchPage = listOf('orders', { ...filter });
      expect(await forward(fetchPage, 3)).toEqual(stored);
      expect(await back(fetchPage, 3)).toEqual(stored);
    };
    const all = await storedOrders(`${within} AND product_id = $3`, [at(2), at(4), productId]);
    expect(all).toHaveLength(14);
    await of({ ...period, productId }, `${within} AND product_id = $3`, [at(2), at(4), productId]);
    await of(period, within, [at(2), at(4)]);
    await of({ ...period, status: 'PENDING' }, `${within} AND status = 'PENDING'`, [at(2), at(4)]);
    await of({ createdBefore: at(1) }, 'created_at < $1::timestamptz', [at(1)]);
    // Microseconds count: no order is created between the two milliseconds.
    await of({ createdAfter: '2026-01-01T00:00:00.0020001Z', createdBefore: at(3) }, 'false', []);
    await of({ createdAfter: at(4), createdBefore: at(2) }, 'false', []);
  });

  test('can be limited to the orders between two cursors', async () => {
    const fetchPage = listOf('orders', { productId });
    const all = await fetchPage({ first: 45 });
    const [after, before] = [all.edges[9]?.cursor, all.edges[20]?.cursor];
    const between = idsOf(all).slice(10, 20);
    expect(idsOf(await fetchPage({ first: 100, after, before }))).toEqual(between);
    expect(idsOf(await fetchPage({ last: 4, after, before }))).toEqual(between.slice(-4));
    expect(idsOf(await fetchPage({ first: 4, after, before }))).toEqual(between.slice(0, 4));
  });

  test('has no cursors if it is empty', async () => {
    const page = await listOf('orders', { productId: randomUUID() })({ first: 5 });
    expect(page).toEqual({
      nodes: [],
      edges: [],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
    });
  });

  test('has no gap or repeat if orders are added while a client reads the pages', async () => {
    const product = randomUUID();
    await insertOrders(25, product);
    const stored = await storedOrders('product_id = $1', [product]);
    const seen = await forward(listOf('orders', { productId: product }), 4, () =>
      insertOrders(3, product, '2026-02-01'),
    );
    expect(seen).toEqual(stored);
  });
});

describe('the list of orders of a stock', () => {
  test('is complete, and can be filtered by status', async () => {
    const stored = await storedOrders('product_id = $1', [productId]);
    expect(await forward(listOfStock(productId, 'orders'), 8)).toEqual(stored);
    const confirmed = await storedOrders(`product_id = $1 AND status = 'CONFIRMED'`, [productId]);
    expect(await forward(listOfStock(productId, 'orders', { status: 'CONFIRMED' }), 8)).toEqual(
      confirmed,
    );
  });
});

describe('the list of stocks', () => {
  const mark = randomUUID().slice(0, 8);

  beforeAll(async () => {
    await system().databases.stock(
      `INSERT INTO stocks (id, name, quantity, created_at, deleted_at)
       SELECT (ARRAY['a', 'B', '_', 'ä', '0', 'Z'])[1 + n % 6] || n || '-${mark}',
         CASE WHEN n % 2 = 0 THEN 'Kopi 100% ' ELSE 'Teh_' END || n, 0,
         '2026-01-01'::timestamptz + (n / 6) * interval '1 millisecond',
         CASE WHEN n % 10 = 9 THEN now() END
       FROM generate_series(0, 39) AS n`,
    );
  });

  const stored = async (where: string): Promise<string[]> => {
    const rows = await system().databases.stock(
      `SELECT id FROM stocks WHERE deleted_at IS NULL AND (${where})
       ORDER BY created_at DESC, id DESC`,
    );
    return rows.map(({ id }) => id);
  };

  test.each([5, 36, 37])(
    'is complete in pages of %i in both directions, and omits deleted stocks',
    async (size) => {
      const living = await stored('true');
      expect(living).toHaveLength(37);
      expect(await forward(listOf('stocks'), size)).toEqual(living);
      expect(await back(listOf('stocks'), size)).toEqual(living);
    },
  );

  test('can be searched by name or id, case-insensitively and with literal wildcards', async () => {
    const search = async (text: string) => forward(listOf('stocks', { search: text }), 7);
    expect(await search('kOPI')).toEqual(await stored(`name LIKE 'Kopi%'`));
    expect(await search(mark.toUpperCase())).toEqual(await stored(`id LIKE '%${mark}'`));
    expect(await search('0% 1')).toEqual(await stored(`position('0% 1' in name) > 0`));
    expect(await search('h_1')).toEqual(await stored(`position('h_1' in name) > 0`));
    expect(await search('%%')).toEqual([]);
    expect(await search('\\')).toEqual([]);
  });
});

describe('the list of stocks of a shop', () => {
  const mark = randomUUID().slice(0, 8);

  beforeAll(async () => {
    await system().databases.stock(
      `INSERT INTO stocks (id, name, quantity)
       SELECT 'sku-' || n || '-${mark}', (ARRAY['teh', 'Kopi', 'Teh', 'kopi'])[1 + n % 4], n * 7 % 30
       FROM generate_series(0, 59) AS n`,
    );
  });

  const stored = async (where: string, order: string): Promise<string[]> => {
    const rows = await system().databases.stock(
      `SELECT id FROM stocks WHERE id LIKE '%${mark}' AND (${where}) ORDER BY ${order}`,
    );
    return rows.map(({ id }) => id);
  };

  test.each([
    ['NAME_ASC', 'lower(name) COLLATE "C", id'],
    ['QUANTITY_ASC', 'quantity, id'],
    ['CREATED_DESC', 'created_at DESC, id DESC'],
  ])('can be sorted by %s, and limited to low stocks', async (sort, order) => {
    const all = listOf('stocks', { search: mark, sort });
    expect(await forward(all, 7)).toEqual(await stored('true', order));
    expect(await back(all, 7)).toEqual(await stored('true', order));
    const low = await stored('quantity <= 9', order);
    expect(low).toHaveLength(20);
    expect(await forward(listOf('stocks', { search: mark, sort, quantityAtMost: 9 }), 6)).toEqual(
      low,
    );
  });
});

describe('the list of movements of a stock', () => {
  test('contains the whole ledger, newest entry first', async () => {
    const { graph } = system();
    const stock = await createShopClient(graph).addStock({ quantity: 0 });
    for (let i = 0; i < 22; i += 1) {
      await dataOf(graph(`mutation { adjustStock(id: "${stock.id}", delta: 1) { id } }`));
    }
    const versions = Array.from({ length: 23 }, (_, i) => 23 - i);
    for (const size of [5, 22, 23]) {
      expect(await forward(listOfStock(stock.id, 'movements'), size)).toEqual(versions);
    }
    const page = await listOfStock(stock.id, 'movements')({});
    expect(idsOf(page)).toEqual(versions.slice(0, 20));
  });
});
