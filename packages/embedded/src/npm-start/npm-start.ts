import { StartError } from '@gudang/runtime/errors';
import { repository } from '../gudang-directory.ts';
import { startJourneys } from '../journeys/receive-journeys.ts';
import { killChildren } from '../processes/child.ts';
import { readyTable } from '../terminal/ready-table.ts';
import { terminal } from '../terminal/terminal.ts';
import { claimDirectory, stopLeftovers } from './claim-directory.ts';
import { addDemoData } from './demo-data.ts';
import { preflight } from './preflight.ts';
import { createBackingServers, planServices, type Services, tokenSetting } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';
import { startSystem } from './system.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const STOP_DEADLINE_MS = 4800;

/**
 * Starts the whole system and keeps it running until a signal ends the process.
 * @param root the folder of the services. Default: the repository
 * @throws {StartError} if the system cannot start; the parts that had started are stopped first
 */
export async function runNpmStart(root = repository): Promise<void> {
  const began = Date.now();
  const { settings, problems } = readStartSettings(process.env);
  const backing = createBackingServers(settings);
  const env = { ...process.env, ...(await startJourneys(process.env)) };
  const services = planServices(root, env, settings, backing);
  await claimDirectory(settings.directory);
  await stopLeftovers(settings.directory, services, terminal.line);
  problems.push(...(await preflight(settings, services)));
  if (problems.length > 0) throw new StartError(listOf(problems));

  terminal.line(`Starting Gudang. Data directory: ${settings.directory}`);
  if (settings.databases) {
    terminal.line('Using your databases: run `npm run migrate` to update their schemas');
  }
  const system = startSystem({ root, settings, services, backing });
  const isStopping = stopOnSignals(system.stop);
  try {
    await system.ready;
  } catch (error) {
    if (isStopping()) return;
    await system.stop();
    throw error;
  }
  if (!settings.databases) await tryDemoData(services);
  const seconds = (Date.now() - began) / 1000;
  const tokens = tokenSetting(process.env);
  if (!isStopping()) terminal.line(readyTable(settings, backing, { seconds, tokens }));
}

function listOf(problems: string[]): string {
  if (problems.length === 1) return `Gudang cannot start: ${problems[0]}`;
  return ['Gudang cannot start:', ...problems.map((problem) => `  - ${problem}`)].join('\n');
}

/**
 * Stops the parts in order at the first signal, then ends the process. Kills the remaining parts at a
 * second signal or after 4.8 s. Returns a function that reports whether a signal was received.
 */
function stopOnSignals(stop: () => Promise<void>): () => boolean {
  let stopping = false;
  const exit = (code: number) => {
    killChildren();
    process.exit(code);
  };
  const onSignal = () => {
    if (stopping) exit(130);
    stopping = true;
    terminal.line('Stopping. Press Ctrl-C again to stop immediately');
    setTimeout(() => exit(1), STOP_DEADLINE_MS).unref();
    stop().then(
      () => exit(0),
      () => exit(1),
    );
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => stopping;
}

/** Adds demo data. A failure is reported, but it does not end the start. */
async function tryDemoData(services: Services): Promise<void> {
  try {
    const added = await addDemoData(services);
    if (added > 0) terminal.part('stock', `added ${added} stocks as demo data`);
  } catch (error) {
    terminal.part('stock', `could not add demo data: ${(error as Error).message}`);
  }
}
