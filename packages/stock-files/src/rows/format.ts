import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { CommandError } from '../cli.ts';

export type Format = 'csv' | 'ndjson';

/** A row of a file, before its values are checked. */
export interface RawRow {
  /** 1 for the first row after the header. */
  readonly number: number;
  /** Values by column. Empty cells and nulls are absent. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Why the row cannot be read; undefined for a readable row. */
  readonly unreadable?: string;
}

/** Maximum size of a row, in bytes. A file with an unclosed quote would otherwise be one row. */
const LARGEST_ROW = 1024 * 1024;
const DELIMITERS = [',', ';', '\t'] as const;

/**
 * Reads the rows of a file.
 * @throws {CommandError} if the file is missing, is not UTF-8, or is not CSV
 */
export async function* readRows(path: string, format: Format): AsyncGenerator<RawRow> {
  const text = decodeText(path);
  yield* format === 'csv' ? readCsv(path, text) : readNdjson(text);
}

/** Returns the columns of a CSV file in the order of the header; undefined for NDJSON. */
export async function readHeader(path: string, format: Format): Promise<string[] | undefined> {
  if (format === 'ndjson') return undefined;
  for await (const { header } of csvRecords(path, decodeText(path))) return [...header];
  throw new CommandError(`${path} is empty; its first line must name the columns`);
}

/** Returns the delimiter of a CSV file: the one of comma, semicolon and tab that its header has most of. */
function delimiterOf(header: string): string {
  const count = (delimiter: string): number => header.split(delimiter).length;
  return DELIMITERS.reduce((best, one) => (count(one) > count(best) ? one : best));
}

async function* decodeText(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new CommandError(`${path} is not UTF-8; save it as UTF-8 (in Excel: "CSV UTF-8")`);
    }
  };
  const file = await open(path).catch((error: Error) => {
    throw new CommandError(`${path} cannot be read: ${error.message}`);
  });
  try {
    for await (const bytes of file.createReadStream({ autoClose: false })) yield decode(bytes);
    yield decode();
  } finally {
    await file.close();
  }
}

async function* readCsv(path: string, text: AsyncGenerator<string>): AsyncGenerator<RawRow> {
  let number = -1;
  for await (const { header, cells } of csvRecords(path, text)) {
    number += 1;
    if (number === 0) continue;
    const named = header.map((column, index) => [column, cells[index]] as const);
    const values = Object.fromEntries(
      named.filter(([, cell]) => cell !== undefined && cell !== ''),
    );
    const fits = cells.length === header.length;
    const counts = `the row has ${cells.length} cells; the header has ${header.length}`;
    yield { number, values, ...(!fits && { unreadable: counts }) };
  }
}

/** Yields each line of a CSV file with the header. The first one is the header itself. */
async function* csvRecords(path: string, text: AsyncGenerator<string>) {
  const first = await text.next();
  const start = first.done ? '' : first.value;
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(start.split(/[\r\n]/, 1)[0] ?? ''),
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: LARGEST_ROW,
  });
  const source = Readable.from(rest(start, text));
  source.on('error', (error) => parser.destroy(error)).pipe(parser);
  let header: readonly string[] | undefined;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      header ??= cells;
      yield { header, cells };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new CommandError(`${path} is not CSV: ${error.message}`);
  } finally {
    source.destroy();
  }
}

async function* rest(start: string, text: AsyncGenerator<string>): AsyncGenerator<string> {
  yield start;
  yield* text;
}

async function* readNdjson(text: AsyncGenerator<string>): AsyncGenerator<RawRow> {
  let number = 0;
  for await (const line of linesOf(text)) {
    if (line.trim() === '') continue;
    number += 1;
    yield parseLine(number, line);
  }
}

async function* linesOf(text: AsyncGenerator<string>): AsyncGenerator<string> {
  let partial = '';
  for await (const chunk of text) {
    const lines = (partial + chunk).split('\n');
    partial = lines.pop() ?? '';
    yield* lines;
  }
  yield partial;
}

function parseLine(number: number, line: string): RawRow {
  const unreadable = 'the line is not a JSON object';
  try {
    const values: unknown = JSON.parse(line.replace(/^\ufeff/, ''));
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      return { number, values: { line }, unreadable };
    }
    const present = Object.entries(values).filter(([, value]) => value !== null && value !== '');
    return { number, values: Object.fromEntries(present) };
  } catch {
    return { number, values: { line }, unreadable };
  }
}
