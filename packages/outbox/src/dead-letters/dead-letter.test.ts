import type { KafkaRecord } from '@gudang/kafka';
import { describe, expect, it } from 'vitest';
import { unhandled } from './dead-letter.ts';
import { readable, renderLetter, renderList } from './render.ts';

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
const offsets = (records: KafkaRecord[]) => unhandled(records).map((entry) => entry.offsets);

describe('unhandled', () => {
  it('leaves out what is marked, and the markers', () => {
    expect(offsets([letter(0, 5), letter(1, 6), marker(2, 0)])).toEqual([['1']]);
    expect(offsets([])).toEqual([]);
  });

  it('shows a record that was set aside twice once, with both of its places', () => {
    const [entry, other] = unhandled([letter(0, 5), letter(1, 6), letter(2, 5)]);
    expect(entry?.offsets).toEqual(['1']);
    expect(other?.offsets).toEqual(['0', '2']);
    expect(other?.record.offset).toBe('2');
  });

  it('lists again what came again after it was handled', () => {
    expect(offsets([letter(0, 5), marker(1, 0), letter(2, 5)])).toEqual([['2']]);
  });

  it('takes a record that somebody put there by hand', () => {
    const [entry] = unhandled([record(0, {})]);
    expect(entry).toMatchObject({ reason: 'unknown', origin: { topic: 'order_created' } });
    expect(entry?.at.toISOString()).toBe('2026-01-02T03:04:05.678Z');
  });
});

describe('what is shown', () => {
  it('is text, or hexadecimal where it is none', () => {
    expect(readable(Buffer.from('kopi'))).toBe('kopi');
    expect(readable(Buffer.from([0xff]))).toBe('hex ff');
    expect(readable(null)).toBe('null');
  });

  it('is one line an entry, whatever the value holds', () => {
    const lines = renderList(unhandled([letter(0, 5, `a\n\u001b[2J${'b'.repeat(100)}`)])).split(
      '\n',
    );
    expect(lines).toHaveLength(2);
    expect(lines[1]).not.toContain('\u001b');
    expect(lines[1]).toMatch(/b…$/);
  });

  it('is all of one, when asked for', () => {
    const [entry] = unhandled([letter(0, 5, 'line 1\nline 2')]);
    const shown = entry && renderLetter(entry);
    expect(shown).toContain('origin: order_created, partition 0, offset 5');
    expect(shown).toContain('  gudang_reason: no JSON');
    expect(shown).toMatch(/value:\nline 1\nline 2$/);
  });
});
