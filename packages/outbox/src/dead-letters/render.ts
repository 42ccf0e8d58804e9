import { isUtf8 } from 'node:buffer';
import { headerText } from '@gudang/kafka';
import type { DeadLetterEntry } from './dead-letter.ts';

/** The most characters of a key, a value or a reason that the list shows. */
const PREVIEW = { key: 36, reason: 60, value: 60 } as const;

/** A value as people can read it: text, or hexadecimal where it is not UTF-8. */
export function readable(value: Buffer | null): string {
  if (value === null) return 'null';
  return isUtf8(value) ? value.toString() : `hex ${value.toString('hex')}`;
}

/** One line: what a terminal would take as a command becomes a blank. */
function preview(text: string, most: number): string {
  const line = text.replaceAll(/\p{C}+/gu, ' ');
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/** A table, one dead letter a line. */
export function renderList(entries: readonly DeadLetterEntry[]): string {
  const heads = ['OFFSET', 'ORIGIN', 'WHEN', 'TIMES', 'REASON', 'KEY', 'VALUE'];
  const rows = entries.map((entry) => [
    entry.record.offset,
    `${entry.origin.topic} ${entry.origin.partition}/${entry.origin.offset}`,
    entry.at.toISOString(),
    String(entry.offsets.length),
    preview(entry.reason, PREVIEW.reason),
    preview(readable(entry.record.key), PREVIEW.key),
    preview(readable(entry.record.value), PREVIEW.value),
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

/** All of one dead letter: where it is from, its headers, its value. */
export function renderLetter({ record, origin, offsets, reason, at }: DeadLetterEntry): string {
  const headers = Object.keys(record.headers).map(
    (name) => `  ${name}: ${headerText(record.headers, name) ?? ''}`,
  );
  return [
    `origin: ${origin.topic}, partition ${origin.partition}, offset ${origin.offset}`,
    `when: ${at.toISOString()}`,
    `reason: ${reason}`,
    `in ${record.topic} at: ${offsets.join(', ')}`,
    `key: ${readable(record.key)}`,
    'headers:',
    ...headers,
    'value:',
    readable(record.value),
  ].join('\n');
}
