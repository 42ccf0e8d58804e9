import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { CommandError, type ImportCommand } from '../cli.ts';
import { readHeader, readRows } from '../rows/format.ts';
import { checkHeader, parseRow } from '../rows/import-row.ts';

/** Properties of a whole file, found before anything is sent. */
export interface InspectedFile {
  readonly sha256: string;
  readonly rows: number;
  /** Columns of the report: those of the CSV header. Empty for NDJSON. */
  readonly columns: readonly string[];
  /** Columns that the import does not use. */
  readonly ignored: readonly string[];
  /** Whether each row that can be sent has an id. */
  readonly allHaveIds: boolean;
}

/**
 * Reads a file to its end before anything is sent, so that a file that is damaged in the middle changes
 * nothing.
 * @throws {CommandError} if the file cannot be read, or its header lacks a column
 */
export async function inspectFile({ file, format, mode }: ImportCommand): Promise<InspectedFile> {
  const header = await readHeader(file, format);
  const { ignored, missing, repeated } = checkHeader(mode, header ?? []);
  if (header !== undefined && missing.length + repeated.length > 0) {
    const twice = repeated.map((name) => `two columns ${name}`);
    throw new CommandError(
      `${file}: --mode ${mode} cannot use the columns ${header.join(', ')}: ` +
        [...missing.map((name) => `${name} is missing`), ...twice].join(', '),
    );
  }
  let rows = 0;
  let allHaveIds = true;
  for await (const raw of readRows(file, format)) {
    rows += 1;
    const { parsed } = parseRow(mode, raw);
    if ('input' in parsed && !('id' in parsed.input)) allHaveIds = false;
  }
  return {
    sha256: await hashOf(file),
    rows,
    columns: header ?? [],
    ignored: header === undefined ? [] : ignored,
    allHaveIds,
  };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
