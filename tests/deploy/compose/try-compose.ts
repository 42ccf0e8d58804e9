/**
 * Runs Compose for real: builds the images, starts the system on a Docker engine, and checks it while
 * it is scaled, upgraded and killed, then with TLS and auth. It uses the engine of the Docker CLI, a
 * Compose project of its own, and free ports of the loopback address. Options:
 *
 *   --stand-ins      builds stand-ins for the base images first, and uses them instead of pulling any
 *   --host-network   builds the images with the engine's own network
 *   --no-build       uses the images of the last run, stand-ins included
 *   --only STEP      runs one step: scaling, upgrade, kills, load or public
 *   --keep           leaves the system up
 */
import { parseArgs } from 'node:util';
import { freePort } from '@gudang/embedded';
import { createChecks } from '@gudang/testing/checks';
import { checkKills, checkScaling, checkUpgrade } from './change-checks.ts';
import { ComposeProject, docker } from './compose-project.ts';
import { checkEdge, checkRestRate } from './edge-checks.ts';
import { checkLive } from './live-check.ts';
import { checkLoad } from './load-check.ts';
import { checkPublic, checkRefusals, PUBLIC_ENVIRONMENT } from './public-checks.ts';
import { type RunningSystem, runningSystem } from './running-system.ts';
import { buildStandIns, STAND_INS } from './stand-in-images.ts';

const NAME = 'gudang-try';
/** Any of the images has Node. */
const IMAGE = 'gudang/gateway:try';

const { values: options } = parseArgs({
  options: {
    'stand-ins': { type: 'boolean', default: false },
    'host-network': { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});
/** Steps without TLS and auth. */
const localSteps: Readonly<Record<string, (system: RunningSystem) => Promise<void>>> = {
  scaling: checkScaling,
  upgrade: checkUpgrade,
  kills: (system) => checkKills(system, IMAGE),
  // With the default limits.
  load: async (system) => {
    await local.up([], { LIMIT_REQUESTS: '' });
    await checkLoad(system, IMAGE);
    await checkRestRate(system);
  },
};
const steps = [...Object.keys(localSteps), 'public'];
const { print, verify } = createChecks();
if (options.only !== undefined && !steps.includes(options.only)) {
  print(`--only ${options.only}: one of ${steps.join(', ')} is allowed`);
  process.exit(2);
}
const began = performance.now();
const step = (text: string): void =>
  print(`\n${text} (${((performance.now() - began) / 1_000).toFixed(0)} s)`);

const engine = await docker(['version', '--format', '{{.Server.Version}}']).catch(
  (error: Error) => {
    print(`No Docker engine answers: start one, or set DOCKER_HOST (${error.message})`);
    return process.exit(1);
  },
);
const compose = await docker(['compose', 'version', '--short']);
print(`Docker Engine ${engine}, Compose ${compose}`);
if (options['stand-ins'] && !options['no-build']) {
  step('Building stand-ins for the base images');
  await buildStandIns();
}
const ports = { graph: await freePort(), orders: await freePort(), stocks: await freePort() };
const httpsPort = await freePort();
const environment = {
  ...(options['stand-ins'] ? STAND_INS : {}),
  ...(options['host-network'] ? { BUILD_NETWORK: 'host' } : {}),
  GUDANG_VERSION: 'try',
  // All checks on this machine count as one address.
  LIMIT_REQUESTS: '5000',
  GRAPH_PORT: String(ports.graph),
  ORDERS_PORT: String(ports.orders),
  STOCKS_PORT: String(ports.stocks),
  HTTPS_PORT: String(httpsPort),
};
const local = new ComposeProject({ name: NAME, environment });
const open = new ComposeProject({
  name: NAME,
  isPublic: true,
  environment: { ...environment, ...PUBLIC_ENVIRONMENT },
});
try {
  await local.down();
  if (!options['no-build']) {
    step('Building the images');
    await local.run(['build']);
  }
  if (options.only !== 'public') await checkLocal();
  await local.down();
  if (options.only === undefined || options.only === 'public') await checkOpen();
} catch (error) {
  process.exitCode = 1;
  print(`FAILS ${error instanceof Error ? error.message : String(error)}`);
  for (const { service } of await local.containers()) print(await local.logs(service, 10));
} finally {
  if (!options.keep) await open.down();
}
print(`\n${process.exitCode ? 'A check failed' : 'All checks hold'}`);

async function checkLocal(): Promise<void> {
  step('Starting the system');
  await local.up();
  const system = runningSystem(local, ports, verify);
  const containers = await local.containers();
  verify('all containers are healthy', containers.length === 6, `${containers.length} containers`);
  if (options.only === undefined) {
    await checkLive(system);
    await checkEdge(system);
  }
  for (const [name, run] of Object.entries(localSteps)) {
    if (options.only !== undefined && options.only !== name) continue;
    step(name);
    await run(system);
  }
}

async function checkOpen(): Promise<void> {
  step('TLS and auth');
  await checkRefusals(open, verify);
  await open.up();
  await checkPublic(open, httpsPort, verify);
}
