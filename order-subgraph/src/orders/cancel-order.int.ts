import { type Identity, UNRESTRICTED } from '@gudang/auth';
import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import {
  decodeOrderCancelled,
  decodeOrderChanged,
  encodeOrderCancelled,
  type OrderStatus,
} from '@gudang/events';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { type CancelOptions, cancelOrderHandler } from './cancel-order.ts';
import { insertOrders } from './insert-orders.ts';

const DAY_S = 86_400;
const siti: Identity = { subject: 'Siti', scopes: ['order:write'] };
const budi: Identity = { subject: 'Budi', scopes: ['order:write'] };
const support: Identity = { subject: 'Rita', scopes: ['order:write:all'] };

let testDatabase: TestDatabase;
let database: Database;
let replica: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'order');
  database = openDatabase({ url: testDatabase.url, pool: 4 });
  replica = openDatabase({ url: testDatabase.url, pool: 4 });
  // Without a connection of Prisma's own, `$disconnect` would not close the pool.
  await replica.$connect();
});
afterAll(async () => {
  await database.$disconnect();
  await replica.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.$executeRaw`TRUNCATE orders, outbox, reconciliations, idempotency_keys`;
});

function handler(options: Partial<CancelOptions> = {}) {
  return cancelOrderHandler({
    database,
    notifyRelay: () => {},
    within: 30 * DAY_S,
    isEnabled: true,
    ...options,
  });
}

async function placeOrder(owner = 'Siti'): Promise<string> {
  const order = { owner, productId: 'kopi "☕"', quantity: 3, idempotencyKey: null };
  const [stored] = await insertOrders(database, [order]);
  await database.$executeRaw`DELETE FROM outbox`;
  return stored?.id ?? '';
}

const decide = (id: string, status: OrderStatus) => database.$executeRaw`
  UPDATE orders SET status = ${status}::order_status, decided_at = now(),
    cancelled_at = CASE WHEN ${status} = 'CANCELLED' THEN now() END,
    rejection_reason = CASE WHEN ${status} = 'REJECTED' THEN 'OUT_OF_STOCK'::rejection_reason END
  WHERE id = ${id}::uuid`;

const outbox = (): Promise<
  { topic: string; key: Uint8Array; value: Uint8Array; traceparent: string | null }[]
> => database.$queryRaw`SELECT topic, key, value, traceparent FROM outbox ORDER BY topic`;
const stored = (id: string) => database.order.findUniqueOrThrow({ where: { id } });

describe('cancelOrder', () => {
  it.each(['PENDING', 'CONFIRMED'] as const)(
    'stores the request for a %s order and both events in one transaction',
    async (status) => {
      const id = await placeOrder();
      if (status !== 'PENDING') await decide(id, status);
      const before = await stored(id);
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const order = await handler()(siti, { id, reason: 'Salah pesan' }, traceparent);
      expect(order).toEqual({
        ...before,
        idempotencyKey: undefined,
        version: before.version + 1,
        cancelReason: 'Salah pesan',
        cancelRequestedAt: expect.any(Date),
        changedAt: order.cancelRequestedAt,
      });
      const [cancelled, changed, ...others] = await outbox();
      expect(others).toEqual([]);
      expect([cancelled?.topic, changed?.topic]).toEqual(['order_cancelled', 'order_changed']);
      expect([cancelled?.traceparent, changed?.traceparent]).toEqual([traceparent, traceparent]);
      expect(Buffer.from(cancelled?.key ?? []).toString()).toBe(order.productId);
      const requestedAt = order.cancelRequestedAt ?? new Date(Number.NaN);
      const text = Buffer.from(cancelled?.value ?? []).toString();
      expect(JSON.parse(text)).toEqual(JSON.parse(encodeOrderCancelled({ ...order, requestedAt })));
      expect(decodeOrderCancelled(Buffer.from(text)).ok).toBe(true);
      expect(decodeOrderChanged(changed?.value ?? new Uint8Array())).toEqual({
        order,
        previousStatus: status,
      });
    },
  );

  it.each(['REJECTED', 'CANCELLED'] as const)('returns a %s order unchanged', async (status) => {
    const id = await placeOrder();
    await decide(id, status);
    const { idempotencyKey, ...before } = await stored(id);
    const options = { within: 0, isEnabled: false };
    expect(await handler(options)(siti, { id, reason: 'late' })).toEqual(before);
    expect(idempotencyKey).toBeNull();
    expect(await outbox()).toEqual([]);
  });

  it('keeps the first request while it waits for an answer', async () => {
    const id = await placeOrder();
    const first = await handler()(siti, { id, reason: 'first' });
    expect(await handler()(support, { id, reason: 'second' })).toEqual(first);
    expect(await outbox()).toHaveLength(2);
  });

  it('publishes one request for 50 parallel requests on two replicas', async () => {
    const id = await placeOrder();
    const keys = [undefined, 'a', 'b'];
    const orders = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        handler({ database: index % 2 === 0 ? database : replica })(siti, {
          id: index % 4 === 0 ? id.toUpperCase() : id,
          idempotencyKey: index % 4 === 0 ? undefined : keys[index % 3],
        }),
      ),
    );
    expect(new Set(orders.map(({ version }) => version))).toEqual(new Set([2]));
    expect(await outbox()).toHaveLength(2);
  });

  it('lets the reconciler publish a lost cancellation without the waits of the order', async () => {
    const id = await placeOrder();
    await database.$executeRaw`
      INSERT INTO reconciliations (order_id, attempts, next_at)
      VALUES (${id}::uuid, 9, now() + interval '1 h')`;
    await handler()(siti, { id });
    expect(await database.$queryRaw`SELECT FROM reconciliations`).toEqual([]);
  });

  it('is UNAVAILABLE while cancelling is off, and stores nothing', async () => {
    const id = await placeOrder();
    const off = handler({ isEnabled: false });
    await expect(off(siti, { id, idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    expect(await stored(id)).toMatchObject({ version: 1, cancelRequestedAt: null });
    expect(await handler()(siti, { id, idempotencyKey: 'k' })).toMatchObject({ version: 2 });
  });

  it.each([
    ['an empty id', { id: '' }, 'id'],
    ['an empty reason', { reason: '' }, 'reason'],
    ['a reason of 256 characters', { reason: 'ñ'.repeat(256) }, 'reason'],
    ['a reason with NUL', { reason: 'a\u0000' }, 'reason'],
    ['an empty key', { idempotencyKey: '' }, 'idempotencyKey'],
    ['a key of 101 characters', { idempotencyKey: 'k'.repeat(101) }, 'idempotencyKey'],
  ])('rejects %s', async (_what, change, argument) => {
    const id = await placeOrder();
    await expect(handler()(siti, { id, ...change })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(argument),
    });
  });

  it('stores a reason of 255 characters outside the basic plane', async () => {
    const id = await placeOrder();
    const reason = '☕'.repeat(127) + '🫖'.repeat(128);
    expect(await handler()(siti, { id, reason })).toMatchObject({ cancelReason: reason });
  });
});

describe('the callers that can cancel an order', () => {
  const reader: Identity = { subject: 'Rita', scopes: ['order:write', 'order:read:all'] };

  it.each<[string, Identity, string, string]>([
    ['its owner', siti, 'Siti', 'cancelled'],
    ['another user', budi, 'Siti', 'NOT_FOUND'],
    ['another user that sees all orders', reader, 'Siti', 'FORBIDDEN'],
    ['support', support, 'Siti', 'cancelled'],
    ['support, if it has no owner', support, '', 'cancelled'],
    ['a user, if it has no owner', siti, '', 'NOT_FOUND'],
    ['any caller without authentication', UNRESTRICTED, '', 'cancelled'],
    ['any caller without authentication, if it has an owner', UNRESTRICTED, 'Siti', 'cancelled'],
  ])('%s', async (_who, identity, owner, expected) => {
    const id = await placeOrder(owner);
    const outcome = await handler()(identity, { id }).then(
      () => 'cancelled',
      (error: { code?: string }) => error.code,
    );
    expect(outcome).toBe(expected);
    expect(await outbox()).toHaveLength(expected === 'cancelled' ? 2 : 0);
  });

  it('gives the same error for an order of another user and for an unknown id', async () => {
    const id = await placeOrder();
    const messageFor = (wanted: string) =>
      handler()(budi, { id: wanted }).catch((error: Error) => error.message.replace(wanted, '…'));
    const unknown = '0199b3a4-1c7e-7a70-8f3c-2f6f3d1f2a11';
    expect(await messageFor(id)).toBe(await messageFor(unknown));
    expect(await messageFor('17')).toBe(await messageFor(unknown));
  });

  it('the owner until CANCEL_WITHIN has passed, support also afterwards', async () => {
    const id = await placeOrder();
    const age = (seconds: number) => database.$executeRaw`
      UPDATE orders SET created_at = now() - make_interval(secs => ${seconds})`;
    await age(61);
    const late = handler({ within: 60 });
    const { createdAt } = await stored(id);
    await expect(late(siti, { id, idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'TOO_LATE',
      details: { until: new Date(createdAt.getTime() + 60_000).toISOString() },
    });
    await age(30);
    expect(await late(siti, { id, idempotencyKey: 'k' })).toMatchObject({ version: 2 });
    await age(3_000);
    // A repeated request has the first result, and an order whose request waits is unchanged.
    expect(await late(siti, { id, idempotencyKey: 'k' })).toMatchObject({ version: 2 });
    expect(await late(siti, { id })).toMatchObject({ version: 2 });
    const other = await placeOrder();
    await age(3_000);
    expect(await late(support, { id: other })).toMatchObject({ version: 2 });
  });
});

describe('the idempotency key of cancelOrder', () => {
  it('does not request the cancellation again after it was refused', async () => {
    const id = await placeOrder();
    await decide(id, 'CONFIRMED');
    const input = { id, reason: 'late', idempotencyKey: 'k' };
    await handler()(siti, input);
    await database.$executeRaw`
      UPDATE orders SET cancel_requested_at = NULL, cancel_reason = NULL, version = 4`;
    const repeated = await handler({ database: replica })(siti, input);
    expect(repeated).toMatchObject({ id, version: 4, cancelRequestedAt: null });
    expect(await outbox()).toHaveLength(2);
    expect(await handler()(siti, { ...input, idempotencyKey: 'new' })).toMatchObject({
      version: 5,
      cancelRequestedAt: expect.any(Date),
    });
  });

  it('conflicts with another order or reason, and belongs to one user', async () => {
    const id = await placeOrder();
    const other = await placeOrder();
    await handler()(siti, { id, idempotencyKey: 'k' });
    for (const change of [{ id: other }, { reason: 'another' }]) {
      await expect(handler()(siti, { id, idempotencyKey: 'k', ...change })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
        details: { argument: 'idempotencyKey' },
      });
    }
    expect(await handler()(support, { id: other, idempotencyKey: 'k' })).toMatchObject({
      id: other,
    });
  });

  it('shows nothing to a caller that lost the right to cancel', async () => {
    const id = await placeOrder();
    await handler()(support, { id, idempotencyKey: 'k' });
    const without: Identity = { subject: 'Rita', scopes: ['order:write'] };
    await expect(handler()(without, { id, idempotencyKey: 'k' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
