import type pg from 'pg';
import { MoveInError } from '../cli.ts';
import { connect, labelOf } from '../connect.ts';
import type { Present, PresentDecision, PresentOrder, PresentStock } from '../plan/compare.ts';
import type { Plan } from '../plan/plan.ts';
import { MOVED_IN } from '../plan/plan-stocks.ts';

/** Connections with the new system's databases. */
export interface TargetDatabases {
  readonly order: pg.Client;
  readonly stock: pg.Client;
  readonly close: () => Promise<void>;
}

/** Key of the advisory lock that a move holds in stock_db. */
const LOCK = 'gudang move-in';
/** Ids in one query. */
const PART = 10_000;

/**
 * Opens the new system's databases, and takes the lock of moves.
 * @throws {MoveInError} if a database is unavailable or not migrated, or if another move is running
 */
export async function openTargets(env: NodeJS.ProcessEnv): Promise<TargetDatabases> {
  const order = await open(env, 'ORDER_DATABASE', 'relay_progress');
  const stock = await open(env, 'STOCK_DATABASE', 'decisions').catch(async (error) => {
    await order.end();
    throw error;
  });
  const close = async (): Promise<void> => {
    await Promise.all([order.end(), stock.end()]);
  };
  const { rows } = await stock.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked',
    [LOCK],
  );
  if (rows[0]?.locked) return { order, stock, close };
  await close();
  throw new MoveInError('Another move-in is running');
}

async function open(env: NodeJS.ProcessEnv, name: string, table: string): Promise<pg.Client> {
  const setting = env[`${name}_DIRECT_URL`]?.trim() ? `${name}_DIRECT_URL` : `${name}_URL`;
  const url = env[setting]?.trim();
  if (!url || !URL.canParse(url)) {
    throw new MoveInError(`${setting} must be the URL of the new system's database`);
  }
  const client = await connect(url, setting);
  const { rows } = await client.query<{ is: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is', [
    table,
  ]);
  if (rows[0]?.is) return client;
  await client.end();
  throw new MoveInError(`${labelOf(url)} has no tables of Gudang yet: run npm run migrate first`);
}

/** Reads what the new system has of the plan's ids. */
export async function readPresent({ order, stock }: TargetDatabases, plan: Plan): Promise<Present> {
  const stocks = await readParts<PresentStock>(
    stock,
    `SELECT id, name, version, created_at AS "createdAt", deleted_at IS NOT NULL AS "isDeleted",
       (SELECT json_build_object('version', version, 'quantity', quantity_after) FROM movements
        WHERE stock_id = stocks.id AND reason LIKE '${MOVED_IN}%' AND kind IN ('CREATED', 'UPDATED')
        ORDER BY version DESC LIMIT 1) AS moved
     FROM stocks WHERE id = ANY($1::text[])`,
    plan.stocks.map(({ id }) => id),
  );
  const decisions = await readParts<PresentDecision>(
    stock,
    `SELECT order_id AS "orderId", product_id AS "productId", quantity, status::text AS status,
       decided_at AS "decidedAt",
       EXISTS (SELECT FROM movements WHERE order_id = decisions.order_id AND kind = 'ORDERED')
         AS "hasEntry"
     FROM decisions WHERE order_id = ANY($1::uuid[])`,
    [
      ...new Set([
        ...plan.decisions.map(({ orderId }) => orderId),
        ...plan.orders.map(({ id }) => id),
      ]),
    ],
  );
  const orders = await readParts<PresentOrder>(
    order,
    `SELECT id, product_id AS "productId", quantity, status::text AS status
     FROM orders WHERE id = ANY($1::uuid[])`,
    plan.orders.map(({ id }) => id),
  );
  return {
    stocks: new Map(stocks.map((one) => [one.id, one])),
    decisions: new Map(decisions.map((one) => [one.orderId, one])),
    orders: new Map(orders.map((one) => [one.id, one])),
  };
}

async function readParts<T>(
  client: pg.Client,
  query: string,
  ids: readonly string[],
): Promise<T[]> {
  const found: T[] = [];
  for (let start = 0; start < ids.length; start += PART) {
    const { rows } = await client.query(query, [ids.slice(start, start + PART)]);
    found.push(...(rows as T[]));
  }
  return found;
}
