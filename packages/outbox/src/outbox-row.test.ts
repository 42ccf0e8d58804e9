import { describe, expect, it } from 'vitest';
import { type OutboxRow, rowSize, rowsWithin, toMessage } from './outbox-row.ts';

const row = (id: number, size: number, given: Partial<OutboxRow> = {}): OutboxRow => ({
  id: String(id),
  topic: 'stock_changed',
  key: null,
  value: Buffer.alloc(size),
  version: null,
  headers: null,
  traceparent: null,
  created_at: new Date('2026-01-02T03:04:05.678Z'),
  ...given,
});
const ids = (rows: readonly OutboxRow[]): string => rows.map(({ id }) => id).join();

describe('rowsWithin', () => {
  const rows = [row(1, 600), row(2, 600), row(3, 5_000), row(4, 1)];
  it.each([
    [10_000, '1,2,3,4'],
    [2_000, '1,2'],
    [1_999, '1'],
    [1, '1'],
  ])('returns the first rows that fit into %d bytes, at least one', (bytes, expected) => {
    expect(ids(rowsWithin(rows, bytes))).toBe(expected);
  });

  it('returns an oversized first row alone', () => {
    expect(ids(rowsWithin(rows.slice(2), 2_000))).toBe('3');
    expect(rowsWithin([], 2_000)).toEqual([]);
  });

  it('counts the headers of a dead letter', () => {
    const letter = row(1, 0, { headers: { gudang_reason: 'x'.repeat(1_000) } });
    expect(rowSize(letter)).toBeGreaterThan(1_000);
  });
});

describe('toMessage', () => {
  const relay = { source: '/stock-subgraph', term: '3', epoch: 'e' };

  it('builds a CloudEvent whose id does not depend on the term', () => {
    const event = row(7, 0, { version: 4, traceparent: '00-a-b-01' });
    const { headers } = toMessage(event, relay);
    expect(headers).toEqual({
      ce_id: '/stock-subgraph/e/7',
      ce_source: '/stock-subgraph',
      ce_type: 'gudang.stock.changed',
      ce_specversion: '1.0',
      ce_time: '2026-01-02T03:04:05.678Z',
      gudang_term: '3',
      gudang_epoch: 'e',
      gudang_outbox_id: '7',
      gudang_version: '4',
      traceparent: '00-a-b-01',
    });
    expect(toMessage(event, { ...relay, term: '4' }).headers?.['ce_id']).toBe(headers?.['ce_id']);
  });

  it('keeps the original headers of a dead letter', () => {
    const letter = row(8, 0, { topic: 'order_created.dlt', headers: { ce_id: 'theirs' } });
    expect(toMessage(letter, relay).headers).toMatchObject({
      ce_id: 'theirs',
      ce_type: 'gudang.dead_letter',
    });
  });

  it('keeps headers of a dead letter that are named like members of Object.prototype', () => {
    const given = Object.fromEntries([
      ['__proto__', 'a'],
      ['constructor', null],
    ]);
    const { headers } = toMessage(row(9, 0, { headers: given }), relay);
    expect(Object.entries(headers ?? {})).toEqual(
      expect.arrayContaining([
        ['__proto__', 'a'],
        ['constructor', null],
      ]),
    );
  });
});
