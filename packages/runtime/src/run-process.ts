import { StartError } from './errors.ts';
import { createLogger, createReadableLines, type Logger } from './logger.ts';
import { startMemoryRelease } from './memory-release.ts';
import {
  readSettings,
  type Setting,
  SettingsError,
  type SettingsOf,
  type SettingsTable,
} from './settings/settings.ts';
import { settingRows } from './settings/settings-table.ts';
import type { Stoppable } from './stoppable.ts';
import { startTracing } from './tracing/tracing.ts';

export interface ProcessContext<T extends SettingsTable> {
  /** The name of the service, such as `order-subgraph`. */
  readonly name: string;
  readonly settings: SettingsOf<T>;
  readonly log: Logger;
  /**
   * Registers a started part and returns the part. Parts are stopped in the reverse order of their
   * starts.
   */
  readonly started: <P extends Stoppable>(part: string, running: P) => P;
  /**
   * Stops all parts and ends the process with exit code 1. It is for faults that only a restart can
   * correct.
   */
  readonly fail: (reason: string, error?: unknown) => void;
}

type ProcessTable = SettingsTable & { readonly LOG_LEVEL: Setting<string> };

/** Time-out for stopping all parts, in milliseconds. After this time, the process exits anyway. */
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
 * Runs a service: reads its settings, starts its parts, and stops them in the reverse order at SIGTERM or
 * SIGINT. After a second signal, the process exits immediately. With `--check`, the process only checks
 * the settings. With `--settings`, it only prints a table of the settings.
 * @param start imports the service and starts it. The import is dynamic, so that `--check` and
 *   `--settings` take 0.1 s of CPU time instead of 0.7 s
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

  const terminal = process.stdout.isTTY ? await createReadableLines() : undefined;
  const log = createLogger(name, String(settings.LOG_LEVEL), terminal);
  const parts: { part: string; running: Stoppable }[] = [];
  let stopping = false;

  const stopAll = async (exitCode: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => {
      log.fatal(`Stopping took longer than ${STOP_DEADLINE_MS / 1000} s; exiting anyway`);
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
  process.on('uncaughtException', (error) => fail('Uncaught exception', error));
  process.on('unhandledRejection', (error) => fail('Unhandled rejection', error));

  const started = <P extends Stoppable>(part: string, running: P): P => {
    parts.push({ part, running });
    return running;
  };
  try {
    // Tracing starts first and stops last, so that the spans of the parts that are stopping are still
    // sent.
    started('tracing', await startTracing(name));
    await start({ name, settings, log, started, fail });
    started('memory', await startMemoryRelease());
  } catch (error) {
    fail(error instanceof Error ? error.message : 'Could not start', error);
  }
}
