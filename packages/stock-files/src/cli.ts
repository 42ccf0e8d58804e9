import { parseArgs } from 'node:util';
import type { Format } from './rows/format.ts';
import { MODES, type Mode } from './rows/import-row.ts';

/** An error that the user can correct. The command prints its message without a stack trace. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** Whether the command line is wrong, so that the usage helps. */
  readonly isUsage: boolean;
  /** Whether the gateway has certainly not executed the operation. */
  readonly isRejected: boolean;

  constructor(message: string, { isUsage = false, isRejected = false } = {}) {
    super(message);
    this.isUsage = isUsage;
    this.isRejected = isRejected;
  }
}

const usageError = (message: string): CommandError => new CommandError(message, { isUsage: true });

export interface ImportCommand {
  readonly verb: 'import';
  readonly file: string;
  readonly mode: Mode;
  readonly format: Format;
  /** Maximum rows of a batch; undefined: the default, or that of the resumed run. */
  readonly batch: number | undefined;
  readonly newRun: boolean;
  /** The run to resume if its state file is missing. */
  readonly run: string | undefined;
}

export interface ExportCommand {
  readonly verb: 'export';
  /** Undefined: standard output. */
  readonly file: string | undefined;
  readonly format: Format;
}

export const LARGEST_BATCH = 1_000;

export const USAGE = `Usage: npm run stocks -- <command>

  import <file> --mode create | set | adjust    changes stocks by the rows of a file
  export [file]                                 writes all stocks to a file, or to standard output

Options of import:
  --mode create     adds stocks: columns id (optional), name, quantity
  --mode set        sets names and quantities: columns id, name, quantity (one of them suffices)
  --mode adjust     adds delta to quantities: columns id, delta
                    set and adjust also read the columns reason and expectedVersion
  --batch <rows>    rows of one mutation, 1 to ${LARGEST_BATCH}; default 500
  --new-run         imports the file again instead of resuming its last run
  --run <id>        resumes a run whose state file is lost

Options of both:
  --format csv | ndjson    default: by the file's name, else csv

GATEWAY_URL (default: http://localhost:4000/graphql) selects the gateway. If tokens are required,
GUDANG_TOKEN is one with the scope stock:write; GUDANG_TOKEN_FILE names a file that contains it.
`;

const OPTIONS = {
  mode: { type: 'string' },
  format: { type: 'string' },
  batch: { type: 'string' },
  'new-run': { type: 'boolean' },
  run: { type: 'string' },
} as const;
type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/**
 * Parses a command line.
 * @param words the arguments after the program's name
 * @throws {CommandError} if the words are not a command; the message says what is allowed
 */
export function parseCommand(words: readonly string[]): ImportCommand | ExportCommand {
  const { positionals, values } = parseWords(words);
  const [verb, file, ...more] = positionals;
  if (more.length > 0) throw usageError(`${JSON.stringify(more[0])} is one file too many`);
  if (verb === 'export') return exportCommand(file, values);
  if (verb === 'import') return importCommand(file, values);
  throw usageError('the command must be import or export');
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usageError((error as Error).message);
  }
}

function exportCommand(file: string | undefined, values: Values): ExportCommand {
  const unused = Object.keys(values).find((name) => name !== 'format');
  if (unused) throw usageError(`export has no option --${unused}`);
  return { verb: 'export', file, format: formatOf(file ?? '', values.format) };
}

function importCommand(file: string | undefined, values: Values): ImportCommand {
  if (file === undefined) throw usageError('import needs a file');
  const mode = MODES.find((one) => one === values.mode);
  if (mode === undefined) throw usageError('--mode must be create, set or adjust');
  if (values['new-run'] && values.run) throw usageError('use either --new-run or --run');
  return {
    verb: 'import',
    file,
    mode,
    format: formatOf(file, values.format),
    batch: batchOf(values.batch),
    newRun: values['new-run'] ?? false,
    run: values.run,
  };
}

function batchOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const rows = Number(given);
  if (Number.isInteger(rows) && rows >= 1 && rows <= LARGEST_BATCH) return rows;
  throw usageError(`--batch must be a whole number from 1 to ${LARGEST_BATCH}`);
}

function formatOf(file: string, given: string | undefined): Format {
  if (given === 'csv' || given === 'ndjson') return given;
  if (given !== undefined) throw usageError('--format must be csv or ndjson');
  return /\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : 'csv';
}
