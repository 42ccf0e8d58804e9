import { describe, expect, it } from 'vitest';
import {
  decodeOrderCancelled,
  decodeOrderCreated,
  decodeOrderDecided,
  encodeOrderCancelled,
  encodeOrderCreated,
  encodeOrderDecided,
  type OrderDecided,
} from './index.ts';

const id = '0199b3a4-1c7e-7a70-8f3c-2f6f3d1f2a11';
const order = { id, product_id: 'kopi', quantity: 3, timestamp: '2026-01-02T03:04:05.678Z' };
const record = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe('decodeOrderCreated', () => {
  it('decodes the output of encodeOrderCreated, which has exactly four fields', () => {
    const text = encodeOrderCreated({
      id,
      productId: 'kopi',
      quantity: 3,
      createdAt: new Date(order.timestamp),
    });
    expect(JSON.parse(text)).toEqual(order);
    expect(decodeOrderCreated(Buffer.from(text))).toEqual({
      ok: true,
      message: { id, productId: 'kopi', quantity: 3 },
    });
  });

  it.each([
    [
      'the legacy service’s TimeStamp',
      { ...order, timestamp: undefined, TimeStamp: order.timestamp },
    ],
    ['unknown fields', { ...order, colour: 'red' }],
    ['an offset in the time', { ...order, timestamp: '2026-01-02T03:04:05.123456789+07:00' }],
    ['an id in capitals', { ...order, id: id.toUpperCase() }],
    ['100 characters', { ...order, product_id: 'x'.repeat(100) }],
  ])('accepts %s', (_name, value) => {
    expect(decodeOrderCreated(record(value))).toMatchObject({ ok: true, message: { id } });
  });

  it('accepts ids of other systems whose UUID version is unknown', () => {
    const odd = '11111111-1111-1111-1111-111111111111';
    expect(decodeOrderCreated(record({ ...order, id: odd }))).toMatchObject({ ok: true });
  });

  it.each([
    ['null', null, 'the value is null'],
    ['bad UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'the value is not UTF-8'],
    ['bad JSON', Buffer.from('{"id":'), 'the value is not JSON'],
    ['a JSON list', record([]), 'the value must be an object'],
    ['an id that is no UUID', record({ ...order, id: '17' }), 'id must be a UUID'],
    ['no product', record({ ...order, product_id: undefined }), 'product_id must be a string'],
    ['101 characters', record({ ...order, product_id: 'x'.repeat(101) }), 'product_id must have'],
    ['NUL', record({ ...order, product_id: 'a\u0000b' }), 'product_id must hold neither NUL'],
    [
      'a lone surrogate',
      Buffer.from(JSON.stringify({ ...order, product_id: 'S' }).replace('"S"', '"\\ud800"')),
      'product_id must hold',
    ],
    ['quantity 0', record({ ...order, quantity: 0 }), 'quantity must be a whole number'],
    ['quantity −1', record({ ...order, quantity: -1 }), 'quantity must be a whole number'],
    ['quantity 2^31', record({ ...order, quantity: 2 ** 31 }), 'quantity must be a whole number'],
    ['quantity 1.5', record({ ...order, quantity: 1.5 }), 'quantity must be a whole number'],
    ['quantity as text', record({ ...order, quantity: '3' }), 'quantity must be a whole number'],
    ['no time', record({ ...order, timestamp: undefined }), 'timestamp is missing'],
    ['a text that is no time', record({ ...order, timestamp: 'soon' }), 'timestamp must be a time'],
  ])('rejects %s with a reason', (_name, value, reason) => {
    expect(decodeOrderCreated(value)).toEqual({
      ok: false,
      reason: expect.stringContaining(reason),
    });
  });
});

describe('decodeOrderCancelled', () => {
  it('decodes the output of encodeOrderCancelled, which has the fields of order_created', () => {
    const cancelled = {
      id,
      productId: 'kopi',
      quantity: 3,
      requestedAt: new Date(order.timestamp),
    };
    const text = encodeOrderCancelled(cancelled);
    expect(JSON.parse(text)).toEqual(order);
    expect(decodeOrderCancelled(Buffer.from(text))).toEqual({ ok: true, message: cancelled });
  });

  it.each([
    ['quantity 0', { quantity: 0 }, 'quantity must be a whole number from 1 to 1000000'],
    ['no product', { product_id: '' }, 'product_id must not be empty'],
    ['no time', { timestamp: undefined }, 'timestamp must be a string'],
  ])('rejects %s with a reason', (_name, change, reason) => {
    expect(decodeOrderCancelled(record({ ...order, ...change }))).toEqual({ ok: false, reason });
  });
});

describe('decodeOrderDecided', () => {
  const decided: OrderDecided = {
    orderId: id,
    productId: 'kopi',
    status: 'REJECTED',
    reason: 'OUT_OF_STOCK',
    quantityAfter: 2,
    decidedAt: new Date('2026-01-02T03:04:05.678Z'),
    cancelledAt: null,
    cancelRefusal: null,
  };
  const later = new Date('2026-01-02T04:05:06.789Z');
  const confirmed = { ...decided, status: 'CONFIRMED', reason: null } as const;
  const cancelled = { ...confirmed, status: 'CANCELLED', cancelledAt: later } as const;
  const refused = {
    ...confirmed,
    cancelRefusal: { at: later, requestedAt: decided.decidedAt },
  } as const;

  it.each([
    ['a rejection', decided],
    ['a confirmation', confirmed],
    ['a cancellation', cancelled],
    ['a refused cancellation', refused],
  ])('decodes %s as encoded', (_name, message) => {
    const value = Buffer.from(encodeOrderDecided(message));
    expect(decodeOrderDecided(value)).toEqual({ ok: true, message });
  });

  it('encodes only the earlier fields for an order without a cancellation', () => {
    expect(Object.keys(JSON.parse(encodeOrderDecided(confirmed)))).toEqual([
      'order_id',
      'product_id',
      'status',
      'reason',
      'quantity_after',
      'decided_at',
    ]);
  });

  it('accepts null for the fields about cancellations', () => {
    const none = { cancelled_at: null, cancel_refused_at: null, cancel_requested_at: null };
    const value = { ...JSON.parse(encodeOrderDecided(confirmed)), ...none };
    expect(decodeOrderDecided(record(value))).toEqual({ ok: true, message: confirmed });
  });

  it.each([
    ['a rejection without a reason', { reason: null }, 'reason must be there when REJECTED'],
    ['an unknown status', { status: 'SHIPPED' }, 'status must be CONFIRMED, REJECTED or CANCELLED'],
    ['a negative quantity', { quantity_after: -1 }, 'quantity_after must not be negative'],
    [
      'a cancellation without its time',
      { status: 'CANCELLED', reason: null },
      'cancelled_at must be there when CANCELLED',
    ],
    [
      'a cancellation with a reason',
      { status: 'CANCELLED', cancelled_at: later },
      'reason must be there when REJECTED, and only then',
    ],
    [
      'a rejection with the time of a cancellation',
      { cancelled_at: later },
      'cancelled_at must be there when CANCELLED, and only then',
    ],
    [
      'a refusal about a rejected order',
      { cancel_refused_at: later, cancel_requested_at: later },
      'cancel_refused_at must be there only when CONFIRMED',
    ],
    [
      'a refusal that names no request',
      { status: 'CONFIRMED', reason: null, cancel_refused_at: later },
      'cancel_requested_at must be there with cancel_refused_at',
    ],
  ])('rejects %s', (_name, change, reason) => {
    const value = { ...JSON.parse(encodeOrderDecided(decided)), ...change };
    expect(decodeOrderDecided(record(value))).toEqual({
      ok: false,
      reason: expect.stringContaining(reason),
    });
  });
});
