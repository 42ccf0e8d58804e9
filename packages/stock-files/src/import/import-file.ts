import { rm } from 'node:fs/promises';
import { CommandError, type ImportCommand } from '../cli.ts';
import type { GraphClient } from '../graph-client.ts';
import type { Progress } from '../progress.ts';
import { readRows } from '../rows/format.ts';
import { type ImportRow, parseRow } from '../rows/import-row.ts';
import { applyBatch } from './apply-batch.ts';
import { divideRows } from './batches.ts';
import { type InspectedFile, inspectFile } from './inspect-file.ts';
import { appendRefused, reportFileOf } from './report.ts';
import { chooseRun, parseRunId, type Run, readRun, stateFileOf, writeRun } from './run.ts';

/** Totals of a run, over all its resumptions. */
export interface ImportResult {
  readonly run: string;
  readonly applied: number;
  readonly refused: number;
}

/**
 * Imports a file, or resumes its last run.
 * @param keptDays days for which the services keep idempotency keys
 * @throws {CommandError} if the file or the command is wrong, or if the gateway stays unavailable; the
 *   same command then resumes the run
 */
export async function importFile(
  command: ImportCommand,
  { client, progress, keptDays }: { client: GraphClient; progress: Progress; keptDays: number },
): Promise<ImportResult> {
  const file = await inspectFile(command);
  if (file.ignored.length > 0) progress.print(`Ignored columns: ${file.ignored.join(', ')}`);
  const { url, subject } = client;
  const last = await readRun(stateFileOf(command.file));
  const chosen = chooseRun(command, last, { file, url, subject, keptDays, now: new Date() });
  if (chosen === 'finished' && last) {
    progress.print(
      `Run ${last.id} has imported this file. Nothing to do; --new-run imports it again.`,
    );
    return { run: last.id, applied: last.applied, refused: last.refused };
  }
  const run = chosen as Run;
  const resumed = run.doneRows > 0 ? `, resumed after row ${run.doneRows}` : '';
  progress.print(`Run ${run.id}: ${file.rows} rows${resumed}`);
  await writeRun(stateFileOf(command.file), run, true);
  try {
    return await applyRows(command, { client, progress, file, run });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const isNew = run !== last && command.run === undefined;
    const isFirst = (await readRun(stateFileOf(command.file)))?.doneRows === 0;
    if (isNew && isFirst && error.isRejected) {
      // Nothing was executed. Without a state file, another token may import the file.
      await rm(stateFileOf(command.file), { force: true });
      throw error;
    }
    throw new CommandError(`${error.message}\nThe same command resumes run ${run.id}.`);
  }
}

async function applyRows(
  command: ImportCommand,
  {
    client,
    progress,
    file,
    run: begun,
  }: { client: GraphClient; progress: Progress; file: InspectedFile; run: Run },
): Promise<ImportResult> {
  const { format, mode } = command;
  const report = reportFileOf(command.file, format);
  const state = stateFileOf(command.file);
  const { batch: limit } = parseRunId(begun.id);
  let run = begun;
  for await (const batch of divideRows(parsedRows(command), limit)) {
    if (batch.last <= run.doneRows) continue;
    const refused = await applyBatch(client, mode, batch, `${run.id}:${batch.first}`);
    const { columns } = file;
    const reportBytes = await appendRefused(report, {
      format,
      columns,
      size: run.reportBytes,
      refused,
    });
    run = {
      ...run,
      doneRows: batch.last,
      applied: run.applied + batch.rows.length - refused.length,
      refused: run.refused + refused.length,
      reportBytes,
    };
    await writeRun(state, run, false);
    progress.update(run.doneRows, file.rows, run.refused);
  }
  run = { ...run, finishedAt: new Date().toISOString() };
  await writeRun(state, run, true);
  const refusal = run.refused === 0 ? '' : ` Refused: ${run.refused}, listed in ${report}.`;
  progress.print(`Applied: ${run.applied} of ${file.rows} rows.${refusal}`);
  return { run: run.id, applied: run.applied, refused: run.refused };
}

async function* parsedRows({ file, format, mode }: ImportCommand): AsyncGenerator<ImportRow> {
  for await (const raw of readRows(file, format)) yield parseRow(mode, raw);
}
