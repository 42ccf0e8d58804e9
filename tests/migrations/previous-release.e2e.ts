import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { createShopClient } from '@gudang/testing/clients/shop-client';
import { eventually } from '@gudang/testing/eventually';
import {
  ERROR_LINE,
  type ServiceProcess,
  startServiceProcess,
} from '@gudang/testing/system/service-process';
import { useSystem } from '@gudang/testing/system/use-system';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, sendRequest } from '../rest/rest-client.ts';
import { findPreviousRelease, type PreviousRelease, unpackRelease } from './previous-release.ts';

const before = await findPreviousRelease();
const which = before
  ? `${before.commit.slice(0, 7)}, from before ${before.migration}`
  : 'skipped: its commit is missing, as in a shallow clone';

/**
 * Time-out of the preparation, in milliseconds. The preparation takes 15 s on an idle machine, half of it
 * for code generation, and 90 s under load.
 */
const PREPARED_WITHIN_MS = 300_000;

describe.skipIf(!before)(`the release before the newest migration (${which})`, () => {
  const system = useSystem();
  let release: PreviousRelease;
  let order: ServiceProcess;
  let stock: ServiceProcess;

  const startPrevious = async (service: 'order' | 'stock'): Promise<ServiceProcess> => {
    const { databaseUrls, kafkaBrokers, topicPrefix } = system();
    const part = await startServiceProcess({
      name: `previous ${service}`,
      script: release.scriptOf(service),
      environment: {
        ...release.environment,
        PORT: '0',
        [`${service.toUpperCase()}_DATABASE_URL`]: databaseUrls[service],
        KAFKA_BROKERS: kafkaBrokers,
        KAFKA_TOPIC_PREFIX: topicPrefix,
      },
    });
    await part.ready();
    return part;
  };

  beforeAll(async () => {
    release = await unpackRelease(before?.commit ?? '');
    [order, stock] = await Promise.all([startPrevious('order'), startPrevious('stock')]);
  }, PREPARED_WITHIN_MS);
  afterAll(async () => {
    await Promise.all([order?.stop(), stock?.stop()]);
    await release?.remove();
  });

  const addStock = async (): Promise<string> => {
    const body = json({ name: 'Kopi', quantity: 5 });
    return (await sendRequest(stock.url, { route: 'POST /stock/add-stock', body })).body.Data.id;
  };
  const addOrder = async (productid: string): Promise<string> => {
    const body = json({ productid, quantity: 2 });
    return (await sendRequest(order.url, { route: 'POST /order/add-order', body })).body.Data.id;
  };

  it('uses its own workspaces', async () => {
    const scope = join(release.directory, 'node_modules/@gudang');
    const linked = await readdir(scope);
    expect(linked).toContain('order-subgraph');
    const folders = await Promise.all(linked.map((name) => realpath(join(scope, name))));
    const root = await realpath(release.directory);
    expect(folders.filter((folder) => !folder.startsWith(`${root}/`))).toEqual([]);
  });

  it('accepts, decides and shows orders on the new schema', async () => {
    await Promise.all([system().order.stop(), system().stock.stop()]);
    const productId = await addStock();
    const id = await addOrder(productId);
    const shown = graphAt(`${order.url}/graphql`);
    const query = `{ order(id: "${id}") { status } orders(first: 5) { nodes { id } } }`;
    const { orders } = await eventually(
      () => dataOf(shown(query)),
      (data) => data.order.status === 'CONFIRMED',
      { until: 'the order is decided' },
    );
    expect(orders.nodes).toEqual([{ id }]);
    const { body } = await sendRequest(stock.url, { route: `GET /stock/${productId}` });
    expect(body.Data.quantity).toBe(3);
    await Promise.all([system().order.restart(), system().stock.restart()]);
    await Promise.all([system().order.ready(), system().stock.ready()]);
    expect(await createShopClient(system().graph).order(id)).toMatchObject({ status: 'CONFIRMED' });
  });

  it('runs beside this release, and each release decides orders of the other one', async () => {
    const shop = createShopClient(system().graph);
    const productId = await addStock();
    const previousOrder = await addOrder(productId);
    const { id: newOrder } = await shop.createOrder({ productId, quantity: 2 });
    for (const id of [previousOrder, newOrder]) {
      expect(await shop.decided(id)).toMatchObject({ status: 'CONFIRMED' });
    }
    const { body } = await sendRequest(order.url, { route: 'GET /order/' });
    expect(body.Data.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining([previousOrder, newOrder]),
    );
    for (const part of [order, stock, ...system().parts()]) {
      expect(part.output(), part.name).not.toMatch(ERROR_LINE);
    }
  });
});
