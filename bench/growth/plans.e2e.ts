import { testTopicPrefix } from '@gudang/embedded/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fillOrders, fillStocks } from './fill.ts';
import { type Grown, type GrowthServers, startGrowthServers } from './growth-servers.ts';
import { HOT_STATEMENTS } from './hot-statements.ts';
import { newestStocks } from './operations.ts';
import { findGrowth } from './plan-check.ts';
import { type Explained, renderPlan } from './plans.ts';
import { HOT_ORDER_SETTINGS, runHotStatements } from './run-hot-statements.ts';

/**
 * Number of orders. It is large enough that PostgreSQL uses indexes instead of table scans, and
 * that a growing cost is visible.
 */
const ORDERS = 100_000;
const STOCKS = 30_000;

let servers: GrowthServers;
let order: Grown;
let stock: Grown;
let explained: Explained[];

beforeAll(async () => {
  servers = await startGrowthServers({
    kafkaBrokers: inject('kafkaBrokers'),
    prefix: testTopicPrefix().slice(0, -1),
    settings: { fsync: 'off' },
  });
  order = await servers.grow(
    'order',
    'order_large',
    (url) => fillOrders(url, ORDERS),
    HOT_ORDER_SETTINGS,
  );
  stock = await servers.grow('stock', 'stock_large', (url) => fillStocks(url, STOCKS, ORDERS));
  explained = await servers.explaining(() => runHotStatements(order, stock));
}, 180_000);
afterAll(() => servers?.stop());

const plansOf = (database: string, is: RegExp): Explained[] =>
  explained.filter((one) => one.database === `${database}_large` && is.test(one.text));

describe('on large tables, the query plan', () => {
  it.each(Object.entries(HOT_STATEMENTS))(
    'of "%s" uses an index and reads only the needed rows',
    (_name, { database, is }) => {
      const plans = plansOf(database, is);
      expect(plans).not.toHaveLength(0);
      for (const { text, plan } of plans) {
        expect(findGrowth(plan), `${text}\n${renderPlan(plan)}`).toEqual([]);
      }
    },
  );

  it('is reported if the statement reads a whole table', async () => {
    await stock.sql('DROP INDEX stocks_created_at_id_idx');
    const { query, variables } = newestStocks();
    const sent = await servers.explaining(() =>
      dataOf(graphAt(`${stock.part.url}/graphql`)(query, variables)),
    );
    const page = sent.find(({ text }) => HOT_STATEMENTS['newest stocks']?.is.test(text));
    expect(page && findGrowth(page.plan)).toEqual(
      expect.arrayContaining(['reads all of stocks', `sorts ${STOCKS} rows`]),
    );
  });
});
