import pg from 'pg';
import { withoutIndexes } from './without-indexes.ts';

/** Number of products. The orders go through the products in turn. */
export const PRODUCTS = 1_000;
/** The orders go through all products in rounds. All orders of every 50th round are rejected. */
const REJECTED_ROUNDS = 50;
/** Every 10th order belongs to one of 100 owners. */
const OWNED = 10;
/** Seconds between two orders. */
const APART = 0.1;

/** The stocks of the orders never sell out. The others have any quantity, in no order of their ids. */
const QUANTITY = `CASE WHEN number < ${PRODUCTS} THEN 1000000000
  ELSE (number::bigint * 7919 % 100000)::int END`;

export const productOf = (number: number): string => `stock-${number % PRODUCTS}`;

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // The database need not be durable: after a crash it would be filled again.
    await client.query('SET synchronous_commit = off');
    await work(client);
  } finally {
    await client.end();
  }
}

/** Returns an id that is distributed like a random UUID and is the same in both databases. */
const ID = `md5('order ' || number)::uuid`;
const IS_REJECTED = `(number / ${PRODUCTS}) % ${REJECTED_ROUNDS} = 0`;

/** Inserts settled orders; the newest is one minute old. */
export function fillOrders(url: string, count: number): Promise<void> {
  return withClient(url, (client) =>
    withoutIndexes(client, ['orders'], async () => {
      await client.query(
        `INSERT INTO orders
           (id, owner, product_id, quantity, status, rejection_reason, created_at, decided_at,
            version, changed_at)
         SELECT ${ID}, CASE WHEN number % ${OWNED} = 0 THEN 'owner-' || number % 1000 ELSE '' END,
           'stock-' || number % ${PRODUCTS}, 1,
           (CASE WHEN ${IS_REJECTED} THEN 'REJECTED' ELSE 'CONFIRMED' END)::order_status,
           (CASE WHEN ${IS_REJECTED} THEN 'OUT_OF_STOCK' END)::rejection_reason, at, at, 2, at
         FROM (
           SELECT number, now() - make_interval(secs => 60 + ($1::int - number) * ${APART}) AS at
           FROM generate_series(1, $1::int) AS number
         ) AS made`,
        [count],
      );
    }),
  );
}

/** Inserts stocks, and the ledger entries and decisions of the orders of the first 1,000 stocks. */
export function fillStocks(url: string, stocks: number, orders: number): Promise<void> {
  return withClient(url, (client) =>
    withoutIndexes(client, ['stocks', 'movements', 'decisions'], async () => {
      await client.query(
        `INSERT INTO stocks (id, name, quantity, version, created_at)
         SELECT 'stock-' || number, 'Barang ' || md5(number::text), ${QUANTITY},
           CASE WHEN number < ${PRODUCTS}
             THEN 1 + ($2::int - number + ${PRODUCTS - 1}) / ${PRODUCTS} ELSE 1 END,
           now() - make_interval(secs => 60 + $1::int - number)
         FROM generate_series(0, $1::int - 1) AS number`,
        [stocks, orders],
      );
      await client.query(
        `INSERT INTO movements (stock_id, version, kind, delta, quantity_after)
         SELECT 'stock-' || number, 1, 'CREATED', ${QUANTITY}, ${QUANTITY}
         FROM generate_series(0, $1::int - 1) AS number`,
        [stocks],
      );
      await client.query(
        `INSERT INTO movements (stock_id, version, kind, delta, quantity_after, order_id)
         SELECT 'stock-' || number % ${PRODUCTS}, 2 + (number - 1) / ${PRODUCTS}, 'ORDERED', -1,
           1000000000, ${ID} FROM generate_series(1, $1::int) AS number`,
        [orders],
      );
      await client.query(
        `INSERT INTO decisions (order_id, product_id, quantity, status, reason, quantity_after)
         SELECT ${ID}, 'stock-' || number % ${PRODUCTS}, 1,
           (CASE WHEN ${IS_REJECTED} THEN 'REJECTED' ELSE 'CONFIRMED' END)::decision_status,
           (CASE WHEN ${IS_REJECTED} THEN 'OUT_OF_STOCK' END)::rejection_reason, 0
         FROM generate_series(1, $1::int) AS number`,
        [orders],
      );
    }),
  );
}
