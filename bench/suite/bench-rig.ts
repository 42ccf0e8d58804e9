import { dataOf, type Graph, graphAt } from '@gudang/testing/clients/graph-client';
import { eventually } from '@gudang/testing/eventually';
import type { Databases } from '@gudang/testing/system/databases';
import { type ServiceProcess, startServiceProcess } from '@gudang/testing/system/service-process';
import { startBacklogSystem } from '../backlog/backlog-system.ts';
import { type Build, thisBuild } from './build.ts';
import { analyzeTables, copyRows } from './copy-rows.ts';
import { type CpuReading, createCpuProbe } from './cpu-probe.ts';

export const STOCKS = 1_000;
const ORDERS = 3_000;
const AT_ONCE = 20;

/** One process of each service. Their PostgreSQL writes to disk and contains stocks and orders. */
export interface BenchRig {
  readonly order: ServiceProcess;
  readonly stock: ServiceProcess;
  readonly gateway: ServiceProcess;
  /** URL of the gateway's graph. */
  readonly graphUrl: string;
  readonly graph: Graph;
  readonly stockIds: readonly string[];
  readonly databases: Databases;
  /** `host:port` of the broker. */
  readonly kafkaBroker: string;
  readonly readCpu: () => Promise<CpuReading>;
  /** Resolves once all orders are settled and the outboxes are empty. */
  readonly settled: () => Promise<void>;
  /** Starts an additional process, which `stop` also ends. */
  readonly startBeside: (
    name: string,
    script: string,
    environment: Environment,
  ) => Promise<ServiceProcess>;
  readonly stop: () => Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

export interface BenchRigOptions {
  /** Further settings of the three services. */
  readonly environment?: Environment;
  readonly build?: Build;
  /** System whose stocks and orders are copied. Default: new ones are created through the graph. */
  readonly rowsOf?: BenchRig;
}

export async function startBenchRig({
  environment = {},
  build = thisBuild,
  rowsOf,
}: BenchRigOptions = {}): Promise<BenchRig> {
  const system = await startBacklogSystem(build);
  const others: ServiceProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const part of others) await part.stop();
    await system.stop();
  };
  const startBeside: BenchRig['startBeside'] = async (name, script, environment) => {
    const part = await startServiceProcess({ name, script, environment });
    others.push(part);
    return part;
  };
  try {
    const [order, stock] = await Promise.all([
      system.add('order', environment),
      system.add('stock', environment),
    ]);
    await Promise.all([order.ready(), stock.ready()]);
    const gateway = await startBeside('gateway', build.scriptOf('gateway'), {
      PORT: '0',
      NODE_ENV: 'production',
      // On a busy machine, the gateway would refuse requests.
      SHED_DELAY_MS: '0',
      SUBGRAPH_URLS: `order=${order.url}/graphql,stock=${stock.url}/graphql`,
      ...environment,
    });
    await gateway.ready();
    const graphUrl = `${gateway.url}/graphql`;
    const graph = graphAt(graphUrl);
    const count = async (database: 'order' | 'stock', sql: string): Promise<number> =>
      Number((await system.databases[database](sql))[0]?.['n']);
    const settled = async (): Promise<void> => {
      const open = async () =>
        (await count('order', "SELECT count(*) AS n FROM orders WHERE status = 'PENDING'")) +
        (await count('order', 'SELECT count(*) AS n FROM outbox')) +
        (await count('stock', 'SELECT count(*) AS n FROM outbox'));
      await eventually(open, (left) => left === 0, {
        until: 'all orders are settled',
        within: 120_000,
      });
    };
    const stockIds = Array.from({ length: STOCKS }, (_, index) => `bench-${index}`);
    if (rowsOf) await copyRows(rowsOf.databases, system.databases);
    else await fill(graph, stockIds);
    await settled();
    await analyzeTables(system.databases);
    const { kafka } = system;
    return {
      order,
      stock,
      gateway,
      graphUrl,
      graph,
      stockIds,
      databases: system.databases,
      kafkaBroker: system.kafkaBroker,
      readCpu: createCpuProbe(
        { gateway: gateway.pid, order: order.pid, stock: stock.pid, kafka: kafka.pid() ?? 0 },
        system.postgresPid,
      ),
      settled,
      startBeside,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fill(graph: Graph, stockIds: readonly string[]): Promise<void> {
  const add = 'mutation ($input: AddStockInput!) { addStock(input: $input) { id } }';
  await each(stockIds.length, (number) => {
    const input = { id: stockIds[number], name: `Kopi ${number}`, quantity: 1_000_000_000 };
    return dataOf(graph(add, { input }));
  });
  await createOrders(graph, stockIds, ORDERS);
}

/** Creates orders of random stocks. */
export async function createOrders(
  graph: Graph,
  stockIds: readonly string[],
  count: number,
): Promise<void> {
  const order = 'mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id } }';
  await each(count, () => {
    const productId = stockIds[Math.floor(Math.random() * stockIds.length)];
    return dataOf(graph(order, { input: { productId, quantity: 1 } }));
  });
}

/** Calls a function for each number below `count`, with up to 20 calls at once. */
async function each(count: number, ask: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await ask(next - 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
