/**
 * Builds the images without a Docker engine, by running the Dockerfile's steps in a clean folder,
 * and tests them. The migration image migrates the databases. The three services run on Node 24 as an
 * unprivileged user, one order passes through all of them, another one through the gateway alone, and SIGTERM ends them. The script takes a
 * few minutes. It must run as root, to change to the unprivileged user, and needs the npm registry. It
 * uses this repository's PostgreSQL and Kafka.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startTestServers } from '@gudang/embedded/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { buildImages, installNode24 } from './build-images.ts';
import { runImage, startImage } from './start-image.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const directory = await mkdtemp(join(tmpdir(), 'gudang-image-'));
// The images' user must be able to read this folder.
await chmod(directory, 0o755);
const servers = startTestServers();
try {
  const image = await buildImages(directory, print);
  const node = await installNode24(directory, print);
  const { postgresUrl, kafkaBrokers: KAFKA_BROKERS } = await servers;
  const databaseUrl = (name: string): string => {
    const url = new URL(postgresUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  const databases = {
    ORDER_DATABASE_URL: databaseUrl('image_order'),
    STOCK_DATABASE_URL: databaseUrl('image_stock'),
  };
  for (const round of ['first', 'second']) {
    print(`migrate, ${round} time: ${await runImage(node, image.migrate, databases)}`);
  }

  const backing = { AUTH: 'off', KAFKA_BROKERS, KAFKA_TOPIC_PREFIX: 'image.' };
  const order = await startImage(node, image.order, { ...databases, ...backing });
  const stock = await startImage(node, image.stock, { ...databases, ...backing });
  const SUBGRAPH_URLS = `order=${order.url}/graphql,stock=${stock.url}/graphql`;
  const gateway = await startImage(node, image.gateway, {
    AUTH: 'off',
    SUBGRAPH_URLS,
    NODE_ENV: 'development',
  });
  print(`order through all services: ${await makeOrder(gateway.url)}`);
  const page = await fetch(gateway.url, { headers: { accept: 'text/html' } });
  print(`GET / of the gateway: ${page.status} ${page.headers.get('content-type')}`);
  const alone = await startImage(node, image.federationGateway, {
    AUTH: 'off',
    SUPERGRAPH: fileURLToPath(new URL('../../../gateway/supergraph.graphql', import.meta.url)),
    SUBGRAPH_URLS,
  });
  print(`order through the gateway alone: ${await makeOrder(alone.url, 'teh')}`);
  for (const running of [alone, gateway, order, stock]) print(await running.terminate());
} finally {
  await (await servers).stop();
  await rm(directory, { recursive: true, force: true });
}

/** Adds a stock, sends an order and waits for its decision. @returns the decided order */
async function makeOrder(gatewayUrl: string, id = 'kopi'): Promise<string> {
  const graph = graphAt(`${gatewayUrl}/graphql`);
  const input = `{ id: "${id}", name: "A stock", quantity: 5 }`;
  await dataOf(graph(`mutation { addStock(input: ${input}) { id } }`));
  const { createOrder } = await dataOf(
    graph(`mutation { createOrder(input: { productId: "${id}", quantity: 2 }) { id } }`),
  );
  const query = 'query ($id: ID!) { order(id: $id) { status stock { quantity } } }';
  const { order } = await eventually(
    () => dataOf(graph(query, { id: createOrder.id })),
    (seen) => seen.order.status !== 'PENDING',
    { until: 'the order is decided', within: 30_000 },
  );
  return JSON.stringify(order);
}
