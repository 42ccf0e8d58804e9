import { startOrderLoop } from '@gudang/testing/clients/order-loop';
import { eventually } from '@gudang/testing/eventually';
import { type Container, docker } from './compose-project.ts';
import { addStock, followStock, quantityOf, type RunningSystem } from './running-system.ts';

const REPLICATED = ['gateway', 'order-subgraph', 'stock-subgraph'];
const QUANTITY = 100_000;

/** Scales all services to two replicas and back while orders are sent; no request may fail. */
export async function checkScaling(system: RunningSystem): Promise<void> {
  const { project } = system;
  const scaled = (count: number): string[] => [
    '--no-recreate',
    ...REPLICATED.flatMap((service) => ['--scale', `${service}=${count}`]),
  ];
  await withOrders(system, 'scaling to two replicas and back fails no request', async () => {
    await project.up(scaled(2));
    const idle: string[] = [];
    for (const service of REPLICATED) {
      for (const { id } of await project.containers(service)) {
        await eventually(
          () => connectionsOf(id),
          (count) => count > 0,
          { within: 30_000, every: 500 },
        ).catch(() => idle.push(`${service} ${id.slice(0, 12)}`));
      }
    }
    system.verify(
      'both replicas of each service serve',
      idle.length === 0,
      idle.join(', ') || '6 containers',
    );
    await project.up(scaled(1));
  });
}

/** Prints the number of established connections to the port of the service in whose container it runs. */
const COUNT_CONNECTIONS = `
  const port = { gateway: 4000, 'order-subgraph': 8000, 'stock-subgraph': 8001 }[path.basename(process.cwd())];
  const local = ':' + port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = fs.readFileSync('/proc/net/tcp', 'utf8').split('\\n').map((line) => line.trim().split(/ +/));
  console.log(sockets.filter(([, address = '', , state]) => address.endsWith(local) && state === '01').length);
`;

/** Returns the number of connections that clients, or the edge for them, have to a replica. */
async function connectionsOf(id: string): Promise<number> {
  return Number(await docker(['exec', id, 'node', '-e', COUNT_CONNECTIONS]));
}

/** Replaces the order subgraph by another version with docker/upgrade.sh while orders are sent. */
export async function checkUpgrade(system: RunningSystem): Promise<void> {
  const { project } = system;
  const service = 'order-subgraph';
  await withOrders(system, 'an upgrade of one service fails no request', async () => {
    const [old] = await project.containers(service);
    await docker(['tag', old?.image ?? '', `gudang/${service}:next`]);
    await project.upgrade([service], { GUDANG_VERSION: 'next' });
    const now = await project.containers(service);
    const images = now.map(({ image }) => image).join(' ');
    system.verify('the new version runs alone', images === `gudang/${service}:next`, images);
  });
}

/** Kills the main process of each container by SIGKILL while orders are sent. */
export async function checkKills(system: RunningSystem, image: string): Promise<void> {
  for (const container of await system.project.containers()) {
    await checkKill(system, container, image);
  }
}

async function checkKill(system: RunningSystem, killed: Container, image: string): Promise<void> {
  const { project, verify, graph, graphUrl } = system;
  const { service } = killed;
  const id = await addStock(graph, QUANTITY);
  const live = await followStock(graphUrl, id);
  const loop = startOrderLoop({ graph, productId: id });
  try {
    await eventually(
      () => loop.acknowledged.length,
      (count) => count >= 10,
      { within: 60_000 },
    );
    // The engine restarts a container only if its process ends by itself, so `docker kill` is no test.
    const script = `process.kill(${killed.pid}, 'SIGKILL')`;
    const own = ['--rm', '--pid', 'host', '--user', '0'];
    await docker(['run', ...own, image, 'node', '-e', script]);
    const began = performance.now();
    await eventually(
      () => project.containers(service),
      ([now]) => now?.isReady === true && now.startedAt !== killed.startedAt,
      { until: `${service} runs again`, within: 120_000, every: 250 },
    );
    const ready = performance.now() - began;
    const before = loop.acknowledged.length;
    await eventually(
      () => loop.acknowledged.length,
      (count) => count >= before + 10,
      { within: 120_000 },
    );
    await loop.stop();
    const quantity = await settledQuantity(system, id, loop.acknowledged.length);
    await live.waitFor(({ stockChanged }) => stockChanged.stock.quantity === quantity, {
      within: 60_000,
    });
    verify(
      `after SIGKILL of ${service}, each acknowledged order settles once and live clients resume`,
      quantity === QUANTITY - loop.acknowledged.length,
      `ready after ${(ready / 1_000).toFixed(1)} s, ${loop.acknowledged.length} orders, ${QUANTITY - quantity} taken, ${loop.failures.length} retries, ${live.connections()} connections`,
    );
  } finally {
    await loop.stop();
    await live.close();
  }
}

/** Runs `change` while orders are sent one after another. No request may fail. */
async function withOrders(
  system: RunningSystem,
  what: string,
  change: () => Promise<void>,
): Promise<void> {
  const { graph, graphUrl, verify } = system;
  const id = await addStock(graph, QUANTITY);
  const live = await followStock(graphUrl, id);
  const loop = startOrderLoop({ graph, productId: id });
  try {
    await change();
    await loop.stop();
    const quantity = await settledQuantity(system, id, loop.acknowledged.length);
    await live.waitFor(({ stockChanged }) => stockChanged.stock.quantity === quantity, {
      within: 60_000,
    });
    // A gateway that has just started plans the first operations, which counts towards the rate limit.
    const limited = loop.failures.filter((message) => message.includes('RATE_LIMITED'));
    const failures = loop.failures.filter((message) => !limited.includes(message));
    verify(
      what,
      failures.length === 0 && quantity === QUANTITY - loop.acknowledged.length,
      `${loop.acknowledged.length} orders, ${failures.slice(0, 3).join('; ') || 'no failure'}, ${limited.length} limited; ${QUANTITY - quantity} taken; the live client made ${live.connections()} connections`,
    );
  } finally {
    await loop.stop();
    await live.close();
  }
}

/** Returns the quantity of a stock once the given number of orders is settled, or after three minutes. */
async function settledQuantity(
  { graph }: RunningSystem,
  id: string,
  orders: number,
): Promise<number> {
  const read = (): Promise<number> => quantityOf(graph, id);
  return eventually(read, (quantity) => quantity <= QUANTITY - orders, {
    within: 180_000,
    every: 100,
  }).catch(read);
}
