import { randomBytes } from 'node:crypto';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError, type ImportCommand } from '../cli.ts';
import type { Mode } from '../rows/import-row.ts';
import type { InspectedFile } from './inspect-file.ts';

/** Rows of a batch if the command line does not say. */
const BATCH_ROWS = 500;

/**
 * A run of an import, as its state file stores it. The run's id and a row's number are the idempotency key
 * of the batch that begins with this row, so a batch whose answer was lost can be sent again.
 */
export interface Run {
  /** Start time, rows of a batch and random characters: `20261128T001005Z-500-x7k2p9`. */
  readonly id: string;
  readonly mode: Mode;
  readonly url: string;
  /** The subject of the token. Idempotency keys belong to a subject. */
  readonly subject: string | null;
  readonly sha256: string;
  /** Rows that are applied or refused. */
  readonly doneRows: number;
  readonly applied: number;
  readonly refused: number;
  /** Size of the report of refused rows, in bytes. */
  readonly reportBytes: number;
  readonly finishedAt: string | null;
}

/** Returns the path of the state file of the last run of a file. */
export function stateFileOf(file: string): string {
  return `${file}.import.json`;
}

function createRunId(batch: number, now: Date): string {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${time}-${batch}-${randomBytes(4).toString('hex')}`;
}

/** Returns what a run's id says. @throws {CommandError} if it is not the id of a run */
export function parseRunId(id: string): { readonly startedAt: Date; readonly batch: number } {
  const [, y, mo, d, h, mi, s, batch] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(\d{1,4})-[0-9a-f]{8}$/.exec(id) ?? [];
  const startedAt = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
  if (batch === undefined || Number.isNaN(startedAt.getTime())) {
    throw new CommandError(`--run: ${JSON.stringify(id)} is not the id of a run`);
  }
  return { startedAt, batch: Number(batch) };
}

/** The caller and the file of a run. A run is resumed only if they are the same. */
export interface RunContext {
  readonly file: InspectedFile;
  readonly url: string;
  readonly subject: string | undefined;
  /** Days for which the services keep idempotency keys. */
  readonly keptDays: number;
  readonly now: Date;
}

/**
 * Chooses the run to execute: the unfinished last run of the file, the run of `--run`, or a new one.
 * @param last the file's last run
 * @returns the run; `finished` if the last run has imported the same file completely
 * @throws {CommandError} if resuming the run could apply rows twice
 */
export function chooseRun(
  command: ImportCommand,
  last: Run | undefined,
  context: RunContext,
): Run | 'finished' {
  const { file, url, subject } = context;
  const start = (id: string): Run => ({
    id,
    mode: command.mode,
    url,
    subject: subject ?? null,
    sha256: file.sha256,
    ...{ doneRows: 0, applied: 0, refused: 0, reportBytes: 0, finishedAt: null },
  });
  const create = (): Run => start(createRunId(command.batch ?? BATCH_ROWS, context.now));
  if (command.newRun) return create();
  if (command.run !== undefined && command.run !== last?.id) {
    const run = start(command.run);
    assertKeysKept(command, run, context);
    return run;
  }
  if (last === undefined) return create();
  const isSame = last.sha256 === file.sha256 && last.mode === command.mode;
  if (last.finishedAt !== null) return isSame && last.url === url ? 'finished' : create();
  assertResumable(command, last, context);
  return last;
}

function assertResumable(command: ImportCommand, last: Run, context: RunContext): void {
  const differs = (what: string): CommandError =>
    new CommandError(
      `The unfinished run ${last.id} of this file has ${what}. Resume it as it began, or import ` +
        `the file from its first row with --new-run (${last.doneRows} rows were already done)`,
    );
  if (last.sha256 !== context.file.sha256) throw differs('other content: the file was changed');
  if (last.mode !== command.mode) throw differs(`the mode ${last.mode}`);
  if (last.url !== context.url) throw differs(`the gateway ${last.url}`);
  if (last.subject !== (context.subject ?? null)) {
    throw differs(
      `the subject ${JSON.stringify(last.subject)}, to which its idempotency keys belong`,
    );
  }
  const { batch } = parseRunId(last.id);
  if (command.batch !== undefined && command.batch !== batch) throw differs(`batches of ${batch}`);
  assertKeysKept(command, last, context);
}

/**
 * Refuses a run whose idempotency keys may be purged if its rows could then count twice: adjustments, and
 * new stocks with generated ids.
 */
function assertKeysKept({ mode }: ImportCommand, run: Run, context: RunContext): void {
  const { startedAt } = parseRunId(run.id);
  const days = (context.now.getTime() - startedAt.getTime()) / 86_400_000;
  if (days < context.keptDays) return;
  if (mode === 'set' || (mode === 'create' && context.file.allHaveIds)) return;
  throw new CommandError(
    `The run ${run.id} began more than ${context.keptDays} days ago (IDEMPOTENCY_DAYS), so the ` +
      `services may have forgotten its keys and could count rows twice. ${run.doneRows} rows are ` +
      'done. Check the ledger of the stocks after them, remove the rows that were applied, and ' +
      'import the rest with --new-run',
  );
}

/** Reads the last run of a file. @throws {CommandError} if the state file is damaged */
export async function readRun(path: string): Promise<Run | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CommandError(`${path} cannot be read: ${(error as Error).message}`);
  }
  try {
    const run = JSON.parse(text) as Run;
    parseRunId(run.id);
    return run;
  } catch {
    throw new CommandError(
      `${path} is damaged. It holds the state of the last run: pass the run's id with --run`,
    );
  }
}

/**
 * Replaces the state file.
 * @param isSynced whether the file must survive a power failure. A run's first state must: without its id,
 *   the next import would apply the same rows again. Later states only save work.
 * @throws {CommandError} if the file cannot be written
 */
export async function writeRun(path: string, run: Run, isSynced: boolean): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(run, undefined, 2)}\n`, { flush: isSynced });
    await rename(temporary, path);
    if (!isSynced) return;
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    throw new CommandError(
      `${path}, the state of the run, cannot be written: ${(error as Error).message}. ` +
        'Copy the file to a folder that you can write to',
    );
  }
}
