import type { Format } from './format.ts';

/** Encodes a value as a CSV cell (RFC 4180). A cell with outer blanks is quoted, because readers trim it. */
function csvCell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /[",;\t\r\n]|^\s|\s$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Encodes the first line of a file; empty for NDJSON. */
export function encodeHeader(format: Format, columns: readonly string[]): string {
  return format === 'csv' ? `${columns.map(csvCell).join(',')}\n` : '';
}

/** Encodes a row with a line break. NDJSON has all values, CSV those of the columns. */
export function encodeRow(
  format: Format,
  columns: readonly string[],
  values: Readonly<Record<string, unknown>>,
): string {
  if (format === 'ndjson') return `${JSON.stringify(values)}\n`;
  const cells = columns.map((column) =>
    Object.hasOwn(values, column) ? csvCell(values[column]) : '',
  );
  return `${cells.join(',')}\n`;
}
