import { isUtf8 } from 'node:buffer';
import { headerText } from '@gudang/kafka';
import type { DeadLetterEntry } from './dead-letter.ts';

/** Maximum width of each column, in characters. */
const PREVIEW = { key: 36, reason: 60, value: 60 } as const;

/** Formats a value as text, or as hexadecimal if it is not UTF-8. */
export function renderValue(value: Buffer | null): string {
  if (value === null) return 'null';
  return isUtf8(value) ? value.toString() : `hex ${value.toString('hex')}`;
}

/**
 * Shortens a text to one line. Control characters become blanks, because a terminal would execute
 * them.
 */
function preview(text: string, most: number): string {
  const line = text.replaceAll(/\p{C}+/gu, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** Renders where a dead letter comes from: `<topic> <partition>/<offset>`, or a range of offsets. */
export function renderOrigin({ topic, partition, offset, lastOffset }: DeadLetterEntry['origin']) {
  const offsets = lastOffset === undefined ? offset : `${offset}-${lastOffset}`;
  return `${topic} ${partition}/${offsets}`;
}

/** Renders a table with one line per dead letter. */
export function renderList(entries: readonly DeadLetterEntry[]): string {
  const heads = ['OFFSET', 'ORIGIN', 'WHEN', 'TIMES', 'REASON', 'KEY', 'VALUE'];
  const rows = entries.map((entry) => [
    entry.record.offset,
    renderOrigin(entry.origin),
    entry.at.toISOString(),
    String(entry.offsets.length),
    preview(entry.reason, PREVIEW.reason),
    preview(renderValue(entry.record.key), PREVIEW.key),
    preview(renderValue(entry.record.value), PREVIEW.value),
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [heads, ...rows].map(line).join('\n');
}

/** Renders one dead letter with its origin, headers and value. */
export function renderLetter({ record, origin, offsets, reason, at }: DeadLetterEntry): string {
  const headers = Object.keys(record.headers).map(
    (name) => `  ${name}: ${headerText(record.headers, name) ?? ''}`,
  );
  return [
    `origin: ${origin.topic}, partition ${origin.partition}, offset ${origin.offset}${
      origin.lastOffset === undefined ? '' : ` to ${origin.lastOffset} (a whole record batch)`
    }`,
    `when: ${at.toISOString()}`,
    `reason: ${reason}`,
    `in ${record.topic} at: ${offsets.join(', ')}`,
    `key: ${renderValue(record.key)}`,
    'headers:',
    ...headers,
    'value:',
    renderValue(record.value),
  ].join('\n');
}
