import type { RawRow } from './format.ts';

/** Kinds of imports: addStocks, updateStocks or adjustStocks. */
export const MODES = ['create', 'set', 'adjust'] as const;
export type Mode = (typeof MODES)[number];

/** An input of the mode's mutation. */
export type StockInput = Readonly<Record<string, string | number>>;

/** A row that was not applied, with the reason. */
export interface Refusal {
  /** The graph's error code, or `UNREADABLE` if the row was not sent. */
  readonly code: string;
  readonly message: string;
}

export interface ImportRow {
  readonly raw: RawRow;
  readonly parsed: { readonly input: StockInput } | { readonly refusal: Refusal };
}

interface Column {
  readonly kind: 'text' | 'integer';
  readonly required: boolean;
}

const text = (required: boolean): Column => ({ kind: 'text', required });
const integer = (required: boolean): Column => ({ kind: 'integer', required });
const REASONED = { reason: text(false), expectedVersion: integer(false) };
const COLUMNS: Readonly<Record<Mode, Readonly<Record<string, Column>>>> = {
  create: { id: text(false), name: text(true), quantity: integer(true) },
  set: { id: text(true), name: text(false), quantity: integer(false), ...REASONED },
  adjust: { id: text(true), delta: integer(true), ...REASONED },
};
/** Columns that `export` and the report of refused rows write. An import ignores them silently. */
const SILENT = new Set(['version', 'createdAt', 'updatedAt', 'row', 'code', 'message']);
/** Bounds of GraphQL's type Int. The graph checks the narrower limits of each field. */
const INT = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** Returns the columns of a header that an import cannot use, and those that it misses. */
export function checkHeader(
  mode: Mode,
  header: readonly string[],
): { readonly ignored: string[]; readonly missing: string[]; readonly repeated: string[] } {
  const columns = COLUMNS[mode];
  return {
    ignored: header.filter((name) => !(name in columns) && !SILENT.has(name)),
    missing: Object.keys(columns).filter(
      (name) => columns[name]?.required && !header.includes(name),
    ),
    repeated: header.filter((name, index) => name in columns && header.indexOf(name) !== index),
  };
}

/** Parses a row into an input of the mode's mutation, or says why it cannot be sent. */
export function parseRow(mode: Mode, raw: RawRow): ImportRow {
  if (raw.unreadable !== undefined) return refused(raw, [raw.unreadable]);
  const input: Record<string, string | number> = {};
  const problems: string[] = [];
  for (const [name, column] of Object.entries(COLUMNS[mode])) {
    const value = Object.hasOwn(raw.values, name) ? raw.values[name] : undefined;
    if (value === undefined) {
      if (column.required) problems.push(`${name} is missing`);
      continue;
    }
    const parsed = column.kind === 'integer' ? parseInteger(value) : parseText(value);
    if (parsed === undefined)
      problems.push(`${name} ${described(value)} is not ${EXPECTED[column.kind]}`);
    else input[name] = parsed;
  }
  if (mode === 'set' && !('name' in input) && !('quantity' in input) && problems.length === 0) {
    problems.push('name and quantity are missing; one of them is needed');
  }
  return problems.length > 0 ? refused(raw, problems) : { raw, parsed: { input } };
}

const EXPECTED = {
  integer: `a whole number from ${INT.min} to ${INT.max}`,
  text: 'a text',
} as const;

function parseInteger(value: unknown): number | undefined {
  const isDigits = typeof value === 'string' && /^[+-]?\d{1,15}$/.test(value);
  const number = isDigits ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined;
  return number >= INT.min && number <= INT.max ? number : undefined;
}

/** Accepts whole numbers too, because many files have numbers as ids. */
function parseText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

function described(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 60 ? `${shown.slice(0, 59)}…` : shown;
}

function refused(raw: RawRow, problems: readonly string[]): ImportRow {
  return { raw, parsed: { refusal: { code: 'UNREADABLE', message: problems.join('; ') } } };
}
