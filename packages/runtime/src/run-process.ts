import { collectGarbage } from './collect-garbage.ts';
import { createLogger, type Logger } from './logger.ts';
import {
  readSettings,
  type Setting,
  SettingsError,
  type SettingsOf,
  type SettingsTable,
} from './settings/settings.ts';
import { settingRows } from './settings/settings-table.ts';
import { StartError } from './start-error.ts';
import type { Stoppable } from './stoppable.ts';
import { startTracing } from './tracing/tracing.ts';

export interface ProcessContext<T extends SettingsTable> {
  /** Such as `order-subgraph`. */
  readonly name: string;
  readonly settings: SettingsOf<T>;
  readonly log: Logger;
  /** Notes what was started, to be stopped in the opposite order, and hands it back. */
  readonly started: <P extends Stoppable>(part: string, running: P) => P;
  /** Ends the process after stopping its parts: for faults that only a fresh start heals. */
  readonly fail: (reason: string, error?: unknown) => void;
}

type ProcessTable = SettingsTable & { readonly LOG_LEVEL: Setting<string> };

/** The longest that stopping may take, in milliseconds, before the process leaves anyway. */
const STOP_DEADLINE_MS = 20_000;

function settingsOrExit<T extends ProcessTable>(table: T): SettingsOf<T> {
  try {
    return readSettings(table, process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    for (const problem of error.problems) process.stderr.write(`${problem}\n`);
    process.exit(1);
  }
}

/**
 * Runs a service: reads its settings, starts its parts, stops them in the opposite order on
 * SIGTERM or SIGINT. A second signal leaves at once. With `--check` it only reads the settings,
 * with `--settings` it only prints what they are.
 * @param start imports what it starts: a look at the settings then costs 0.1 s of CPU, not 0.7
 */
export async function runProcess<T extends ProcessTable>(
  name: string,
  table: T,
  start: (context: ProcessContext<T>) => Promise<void>,
): Promise<void> {
  if (process.argv.includes('--settings')) {
    process.stdout.write(`${JSON.stringify(settingRows(table))}\n`);
    return;
  }
  const settings = settingsOrExit(table);
  if (process.argv.includes('--check')) return;

  const log = createLogger(name, String(settings.LOG_LEVEL));
  const parts: { part: string; running: Stoppable }[] = [];
  let stopping = false;

  const stopAll = async (exitCode: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      log.fatal(`Stopping took longer than ${STOP_DEADLINE_MS / 1000} s; leaving anyway`);
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
    for (const { part, running } of parts.reverse()) {
      try {
        await running.stop();
      } catch (error) {
        log.error({ err: error }, `${part} did not stop cleanly`);
      }
    }
    if (exitCode === 0) log.info('stopped');
    process.exit(exitCode);
  };

  const fail = (reason: string, error?: unknown): void => {
    if (stopping) return;
    if (error instanceof StartError) process.stderr.write(`${reason}\n`);
    else log.fatal({ err: error }, reason);
    void stopAll(1);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(130);
      log.info(`${signal}: stopping`);
      void stopAll(0);
    });
  }
  process.on('uncaughtException', (error) => fail('An error that nobody caught', error));
  process.on('unhandledRejection', (error) => fail('A rejection that nobody caught', error));

  const started = <P extends Stoppable>(part: string, running: P): P => {
    parts.push({ part, running });
    return running;
  };
  try {
    // First, so that it is stopped last: what the others do while they stop is sent too.
    started('tracing', await startTracing(name));
    await start({ name, settings, log, started, fail });
    await collectGarbage();
  } catch (error) {
    fail(error instanceof Error ? error.message : 'Could not start', error);
  }
}
