import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../gudang-directory.ts';
import { killChildren } from '../processes/child.ts';
import { StartError } from '../start-error.ts';
import { readyTable } from '../terminal/ready-table.ts';
import { terminal } from '../terminal/terminal.ts';
import { createBacking } from './backing.ts';
import { addDemoData } from './demo-data.ts';
import { stopLeftovers } from './leftovers.ts';
import { preflight } from './preflight.ts';
import { claim } from './run-lock.ts';
import { planServices, type Services } from './service-plan.ts';
import { readStartSettings } from './start-settings.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { startSystem } from './system.ts';

/**
 * Brings up the whole system and keeps it up until a signal ends the process.
 * @param root where the services are: the repository unless told otherwise
 * @throws {StartError} in words for people, after stopping what has been started
 */
export async function runStart(root = repository): Promise<void> {
  const began = Date.now();
  const { settings, problems } = readStartSettings(process.env);
  const backing = createBacking(settings);
  const services = planServices(root, process.env, settings, backing);
  await claimDirectory(settings.directory);
  await stopLeftovers(settings.directory, services, terminal.line);
  problems.push(...(await preflight(settings, services)));
  if (problems.length > 0) throw new StartError(listOf(problems));

  terminal.line(`Starting Gudang; its data is kept in ${settings.directory}`);
  if (settings.databases) {
    terminal.line('The databases are your own: `npm run migrate` brings them up to date');
  }
  const system = startSystem({ root, settings, services, backing });
  const stopping = stopOnSignals(system.stop, terminal.line);
  try {
    await system.ready;
  } catch (error) {
    if (stopping()) return;
    await system.stop();
    throw error;
  }
  if (!settings.databases) await tryDemoData(services);
  if (!stopping()) terminal.line(readyTable(settings, backing, (Date.now() - began) / 1000));
}

async function claimDirectory(directory: string): Promise<void> {
  const run = join(directory, 'run');
  await mkdir(run, { recursive: true }).catch((error: Error) => {
    throw new StartError(`${error.message}. Set GUDANG_DIR to a folder that can be written`);
  });
  const lock = join(run, 'start.pid');
  await claim(lock);
  process.once('exit', () => {
    killChildren();
    rmSync(lock, { force: true });
  });
}

function listOf(problems: string[]): string {
  if (problems.length === 1) return `Gudang cannot start: ${problems[0]}`;
  return ['Gudang cannot start:', ...problems.map((problem) => `  - ${problem}`)].join('\n');
}

/** A missing sample is no reason not to run. */
async function tryDemoData({ gateway }: Services): Promise<void> {
  try {
    const added = await addDemoData(`${gateway.address}/graphql`);
    if (added > 0) terminal.part('gateway', `added ${added} stocks to try things with`);
  } catch (error) {
    terminal.part('gateway', `could not add demo data: ${(error as Error).message}`);
  }
}
