/**
 * Builds the images without a Docker engine, by running the Dockerfile's steps in a clean folder,
 * and tests them. The migration image migrates the databases. The three services run on Node 24 as an
 * unprivileged user, one order passes through all of them, and SIGTERM ends them. The script takes a
 * few minutes. It must run as root, to change to the unprivileged user, and needs the npm registry. It
 * uses this repository's PostgreSQL and Kafka.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startTestServers } from '@gudang/embedded/testing';
import { dataOf, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import { readDockerfile } from './dockerfile.ts';
import { type BuiltImage, runStages } from './run-stages.ts';
import { runImage, startImage } from './start-image.ts';

const exec = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const directory = await mkdtemp(join(tmpdir(), 'gudang-image-'));
// The images' user must be able to read this folder.
await chmod(directory, 0o755);
const servers = startTestServers();
try {
  const image = await buildImages();
  const node = await node24();
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
  for (const running of [gateway, order, stock]) print(await running.terminate());
} finally {
  await (await servers).stop();
  await rm(directory, { recursive: true, force: true });
}

async function buildImages(): Promise<
  Record<'gateway' | 'order' | 'stock' | 'migrate', BuiltImage>
> {
  const context = join(directory, 'context');
  await mkdir(context);
  const ignored = await readFile(join(repository, '.dockerignore'), 'utf8');
  await copyContext(repository, ignored, context);
  const source = await readFile(join(context, 'docker/Dockerfile'), 'utf8');
  const done = new Map<string, BuiltImage>();
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    npm_config_loglevel: 'error',
  };
  const build = async (service: string, target = 'service'): Promise<BuiltImage> => {
    const stages = readDockerfile(source, { SERVICE: service });
    const built = await runStages(stages, { target, context, directory, environment, done, print });
    const { stdout } = await exec('du', ['-sm', built.root]);
    print(`${service}: ${stdout.split('\t')[0]} MB`);
    return built;
  };
  return {
    migrate: await build('prisma', 'migrate'),
    gateway: await build('gateway'),
    order: await build('order-subgraph'),
    stock: await build('stock-subgraph'),
  };
}

/** Installs Node 24 from npm in a folder where the images' user may run it. */
async function node24(): Promise<string> {
  const args = ['exec', '--yes', '--package=node@24', '--', 'node', '-p', 'process.execPath'];
  const { stdout } = await exec('npm', args, { cwd: directory });
  const node = join(directory, 'node');
  await copyFile(stdout.trim().split('\n').at(-1) ?? '', node);
  await chmod(node, 0o755);
  const { stdout: version } = await exec(node, ['--version']);
  print(`Node ${version.trim()} from ${dirname(stdout.trim())}`);
  return node;
}

/** Copies the build context: the committed files, without those that .dockerignore lists. */
async function copyContext(repository: string, ignored: string, to: string): Promise<void> {
  const patterns = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const excluded = patterns.flatMap((one) => [one, `${one}/**`]);
  const paths = ['.', ...excluded.map((pattern) => `:(exclude,glob)${pattern}`)];
  const archive = join(to, '.context.tar');
  await exec('git', ['archive', '--output', archive, 'HEAD', '--', ...paths], { cwd: repository });
  await exec('tar', ['-xf', archive, '-C', to]);
  await rm(archive);
}

/** Adds a stock, sends an order and waits for its decision. @returns the decided order */
async function makeOrder(gatewayUrl: string): Promise<string> {
  const graph = graphAt(`${gatewayUrl}/graphql`);
  const input = '{ id: "kopi", name: "Kopi", quantity: 5 }';
  await dataOf(graph(`mutation { addStock(input: ${input}) { id } }`));
  const { createOrder } = await dataOf(
    graph('mutation { createOrder(input: { productId: "kopi", quantity: 2 }) { id } }'),
  );
  const query = 'query ($id: ID!) { order(id: $id) { status stock { quantity } } }';
  const { order } = await eventually(
    () => dataOf(graph(query, { id: createOrder.id })),
    (seen) => seen.order.status !== 'PENDING',
    { until: 'the order is decided', within: 30_000 },
  );
  return JSON.stringify(order);
}
