import { testTopicPrefix } from '@gudang/embedded/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newestStocks } from './ask.ts';
import { driveHotStatements, HOT_ORDER_SETTINGS } from './drive-hot.ts';
import { fillOrders, fillStocks } from './fill.ts';
import { type Grown, type GrowthServers, startGrowthServers } from './growth-servers.ts';
import { HOT_STATEMENTS } from './hot-statements.ts';
import { whatGrows } from './judge-plan.ts';
import { type Explained, renderPlan } from './plans.ts';

/** So many that PostgreSQL prefers no table as a whole to its index, and that what grows shows. */
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
  explained = await servers.explaining(() => driveHotStatements(order, stock));
}, 180_000);
afterAll(() => servers?.stop());

const plansOf = (database: string, is: RegExp): Explained[] =>
  explained.filter((one) => one.database === `${database}_large` && is.test(one.text));

describe('what the services send to large tables', () => {
  it.each(Object.entries(HOT_STATEMENTS))(
    '%s: by an index, and no more than is wanted',
    (_name, { database, is }) => {
      const plans = plansOf(database, is);
      expect(plans).not.toHaveLength(0);
      for (const { text, plan } of plans) {
        expect(whatGrows(plan), `${text}\n${renderPlan(plan)}`).toEqual([]);
      }
    },
  );

  it('would be found out if it read all of a table', async () => {
    await stock.sql('DROP INDEX stocks_created_at_id_idx');
    const { query, variables } = newestStocks();
    const sent = await servers.explaining(() =>
      dataOf(graphAt(`${stock.part.url}/graphql`)(query, variables)),
    );
    const page = sent.find(({ text }) => HOT_STATEMENTS['newest stocks']?.is.test(text));
    expect(page && whatGrows(page.plan)).toEqual(
      expect.arrayContaining(['reads all of stocks', `sorts ${STOCKS} rows`]),
    );
  });
});
