import type { KafkaRecord } from '@gudang/kafka';
import { describe, expect, it } from 'vitest';
import { findUnhandled } from './dead-letter.ts';
import { renderLetter, renderList, renderValue } from './render.ts';

const record = (offset: number, headers: Record<string, string>, value = 'x'): KafkaRecord => ({
  topic: 'order_created.dlt',
  partition: 0,
  offset: String(offset),
  timestamp: '1767323045678',
  key: null,
  value: Buffer.from(value),
  headers,
});
const letter = (offset: number, origin: number, value?: string): KafkaRecord =>
  record(
    offset,
    {
      gudang_origin_topic: 'order_created',
      gudang_origin_partition: '0',
      gudang_origin_offset: String(origin),
      gudang_reason: 'no JSON',
    },
    value,
  );
const marker = (offset: number, handled: number): KafkaRecord =>
  record(offset, { gudang_handled: String(handled), gudang_verdict: 'dropped' });
const offsets = (records: KafkaRecord[]) => findUnhandled(records).map((entry) => entry.offsets);

describe('findUnhandled', () => {
  it('omits handled dead letters and their markers', () => {
    expect(offsets([letter(0, 5), letter(1, 6), marker(2, 0)])).toEqual([['1']]);
    expect(offsets([])).toEqual([]);
  });

  it('lists one entry with both offsets for a record that was dead-lettered twice', () => {
    const [entry, other] = findUnhandled([letter(0, 5), letter(1, 6), letter(2, 5)]);
    expect(entry?.offsets).toEqual(['1']);
    expect(other?.offsets).toEqual(['0', '2']);
    expect(other?.record.offset).toBe('2');
  });

  it('lists a record that was dead-lettered again after it was handled', () => {
    expect(offsets([letter(0, 5), marker(1, 0), letter(2, 5)])).toEqual([['2']]);
  });

  it('accepts a record without the headers of a dead letter', () => {
    const [entry] = findUnhandled([record(0, {})]);
    expect(entry).toMatchObject({ reason: 'unknown', origin: { topic: 'order_created' } });
    expect(entry?.at.toISOString()).toBe('2026-01-02T03:04:05.678Z');
  });
});

describe('rendering', () => {
  it('shows a value as text, or as hexadecimal if it is not UTF-8', () => {
    expect(renderValue(Buffer.from('kopi'))).toBe('kopi');
    expect(renderValue(Buffer.from([0xff]))).toBe('hex ff');
    expect(renderValue(null)).toBe('null');
  });

  it('shows one line per entry, with control characters removed', () => {
    const lines = renderList(findUnhandled([letter(0, 5, `a\n\u001b[2J${'b'.repeat(100)}`)])).split(
      '\n',
    );
    expect(lines).toHaveLength(2);
    expect(lines[1]).not.toContain('\u001b');
    expect(lines[1]).toMatch(/b…$/);
  });

  it('shows a whole dead letter', () => {
    const [entry] = findUnhandled([letter(0, 5, 'line 1\nline 2')]);
    const shown = entry && renderLetter(entry);
    expect(shown).toContain('origin: order_created, partition 0, offset 5');
    expect(shown).toContain('  gudang_reason: no JSON');
    expect(shown).toMatch(/value:\nline 1\nline 2$/);
  });
});
