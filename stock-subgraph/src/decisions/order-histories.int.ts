import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { decodeOrderDecided, ORDER_CANCELLED, ORDER_CREATED, STOCK_QUANTITY } from '@gudang/events';
import type { KafkaRecord } from '@gudang/kafka';
import { DeadLetters } from '@gudang/outbox';
import {
  type HistoryStep,
  type OrderHistory,
  type OrderRequest,
  type RequestTopic,
  sampleHistories,
} from '@gudang/testing/histories/generate-histories';
import { type Announcement, OrderModel } from '@gudang/testing/histories/order-model';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Database, openDatabase } from '../database.ts';
import { addStock } from '../stocks/add-stock.ts';
import { deleteStock, updateStock } from '../stocks/change-stock.ts';
import { decideOrders } from './decide-orders.ts';

const HISTORIES = 300;
const SEED = 18;
/** Number of histories whose records are decided in the same batches. */
const LANE = 50;
const TOPICS = { created: ORDER_CREATED, cancelled: ORDER_CANCELLED } as const;

let testDatabase: TestDatabase;
let database: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  database = openDatabase({ url: testDatabase.url, pool: 10 });
});
afterAll(async () => {
  await database.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.$executeRaw`TRUNCATE stocks, movements, decisions, outbox`;
});

/** Applies a batch as the topic's consumer does. */
async function deliver(topic: RequestTopic, requests: readonly OrderRequest[]): Promise<void> {
  if (requests.length === 0) return;
  const name = TOPICS[topic];
  const record: KafkaRecord = {
    topic: name,
    partition: 0,
    offset: '0',
    timestamp: '0',
    key: null,
    value: Buffer.from('{}'),
    headers: {},
  };
  const batch = requests.map((message) => ({ message, record }));
  await decideOrders(database, batch, new DeadLetters(name));
}

/** Deletes or adds a stock, or sets its quantity, if the stock is in the state that this needs. */
async function change({ kind, productId: id, quantity }: StockStep): Promise<void> {
  const stock = await database.stock.findUnique({ where: { id } });
  const exists = stock !== null && stock.deletedAt === null;
  if (kind === 'replace' && exists) await deleteStock({ database }, { id });
  else if (kind === 'replace') await addStock({ database }, { id, name: id, quantity });
  else if (exists) await updateStock({ database }, { id, input: { quantity } });
}
type StockStep = Exclude<HistoryStep, { kind: 'deliver' }>;

/** Returns the announcements of each order, in the order of the outbox. */
async function announcements(): Promise<Map<string, Announcement[]>> {
  const rows = await database.$queryRaw<{ value: Uint8Array }[]>`
    SELECT value FROM outbox WHERE topic = 'order_decided' ORDER BY id`;
  const byOrder = new Map<string, Announcement[]>();
  for (const { value } of rows) {
    const decoded = decodeOrderDecided(value);
    if (!decoded.ok) throw new Error(decoded.reason);
    const { orderId, status, reason, cancelRefusal } = decoded.message;
    const refused = cancelRefusal?.requestedAt ?? null;
    byOrder.set(orderId, [...(byOrder.get(orderId) ?? []), { orderId, status, reason, refused }]);
  }
  return byOrder;
}

interface LedgerRow {
  readonly stockId: string;
  readonly version: number;
  readonly kind: string;
  readonly delta: number;
  readonly quantityAfter: number;
  readonly orderId: string | null;
}
const ledger = (): Promise<LedgerRow[]> => database.$queryRaw`
  SELECT stock_id AS "stockId", version, kind::text AS kind, delta, quantity_after AS "quantityAfter",
         order_id AS "orderId"
  FROM movements ORDER BY stock_id, version`;
interface DecisionRow {
  readonly orderId: string;
  readonly productId: string;
  readonly quantity: number;
  readonly status: string;
  readonly refused: Date | null;
}
const decisions = (): Promise<DecisionRow[]> => database.$queryRaw`
  SELECT order_id AS "orderId", product_id AS "productId", quantity, status::text AS status,
         cancel_requested_at AS refused
  FROM decisions`;

/** Guarantee 1: the ledger of each stock has no gap, and its deltas sum to its quantity. */
async function expectBalance(rows: readonly LedgerRow[]): Promise<void> {
  const last = new Map<string, LedgerRow>();
  for (const row of rows) {
    const before = last.get(row.stockId);
    expect(row.version).toBe((before?.version ?? 0) + 1);
    expect(row.quantityAfter).toBe((before?.quantityAfter ?? 0) + row.delta);
    expect(row.quantityAfter).toBeLessThanOrEqual(STOCK_QUANTITY.max);
    last.set(row.stockId, row);
  }
  const stocks = await database.stock.findMany();
  expect(stocks.map(({ id, quantity }) => [id, quantity]).sort()).toEqual(
    [...last.values()].map(({ stockId, quantityAfter }) => [stockId, quantityAfter]).sort(),
  );
}

/** Guarantee 2: what an order took is returned once, to the same life of the stock, or was deleted. */
async function expectReturnedOnce(rows: readonly LedgerRow[]): Promise<void> {
  const found = new Map(rows.map((row) => [`${row.orderId} ${row.kind}`, row]));
  const ofOrders = rows.filter(({ orderId }) => orderId !== null);
  expect(new Set(ofOrders.map(({ orderId, kind }) => `${orderId} ${kind}`)).size).toBe(
    ofOrders.length,
  );
  for (const { orderId, status } of await decisions()) {
    const taken = found.get(`${orderId} ORDERED`);
    const returned = found.get(`${orderId} RETURNED`);
    const isDeletedBefore = (version: number): boolean =>
      rows.some(
        (row) =>
          row.kind === 'DELETED' &&
          row.stockId === taken?.stockId &&
          row.version > taken.version &&
          row.version < version,
      );
    if (status === 'CONFIRMED') expect([taken !== undefined, returned]).toEqual([true, undefined]);
    if (status === 'REJECTED') expect([taken, returned]).toEqual([undefined, undefined]);
    if (returned) {
      expect(status).toBe('CANCELLED');
      expect(returned.delta).toBe(-(taken?.delta ?? 0));
      expect(isDeletedBefore(returned.version)).toBe(false);
    } else if (taken && status === 'CANCELLED') {
      expect(isDeletedBefore(Number.POSITIVE_INFINITY)).toBe(true);
    }
  }
}

/** Returns the steps with one index of all histories of a lane. */
function stepsAt(lane: readonly OrderHistory[], index: number): HistoryStep[] {
  return lane.flatMap(({ steps }) => steps[index] ?? []);
}

function lanes(): OrderHistory[][] {
  const histories = sampleHistories(HISTORIES, SEED);
  return Array.from({ length: HISTORIES / LANE }, (_, lane) =>
    histories.slice(lane * LANE, (lane + 1) * LANE),
  );
}
const longest = (lane: readonly OrderHistory[]): number =>
  Math.max(...lane.map(({ steps }) => steps.length));
const isStockStep = (step: HistoryStep): step is StockStep => step.kind !== 'deliver';
const batchOf = (steps: readonly HistoryStep[], topic: RequestTopic): OrderRequest[] =>
  steps.flatMap((step) => (step.kind === 'deliver' && step.topic === topic ? step.batch : []));

describe(`decideOrders with ${HISTORIES} generated histories`, () => {
  it('announces for each record what the model announces, and stores the same states', async () => {
    const model = new OrderModel();
    const expected = new Map<string, Announcement[]>();
    let deadLetters = 0;
    const answer = (request: OrderRequest): void => {
      const announced = model.answer(request);
      if (announced === null) deadLetters += 1;
      else expected.set(request.id, [...(expected.get(request.id) ?? []), announced]);
    };
    const run = async (lane: readonly OrderHistory[]): Promise<void> => {
      for (let index = 0; index < longest(lane); index += 1) {
        const steps = stepsAt(lane, index);
        for (const step of steps.filter(isStockStep)) {
          await change(step);
          model[step.kind](step.productId, step.quantity);
        }
        for (const topic of ['created', 'cancelled'] as const) {
          const batch = batchOf(steps, topic);
          await deliver(topic, batch);
          for (const request of batch) answer(request);
        }
      }
    };
    await Promise.all(lanes().map(run));

    expect(await announcements()).toEqual(expected);
    const [letters] = await database.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM outbox WHERE topic LIKE '%.dlt'`;
    expect(letters?.count).toBe(deadLetters);
    for (const { id, quantity, deletedAt } of await database.stock.findMany()) {
      expect(deletedAt ? null : quantity).toBe(model.quantity(id));
    }
    const rows = await ledger();
    await expectBalance(rows);
    await expectReturnedOnce(rows);
  });

  it('keeps the guarantees when both consumers and the changes of stocks run concurrently', async () => {
    const run = async (lane: readonly OrderHistory[]): Promise<void> => {
      const consume = async (topic: RequestTopic): Promise<void> => {
        for (let index = 0; index < longest(lane); index += 1) {
          await deliver(topic, batchOf(stepsAt(lane, index), topic));
        }
      };
      const changeStocks = async (): Promise<void> => {
        for (let index = 0; index < longest(lane); index += 1) {
          for (const step of stepsAt(lane, index).filter(isStockStep)) await change(step);
        }
      };
      await Promise.all([consume('created'), consume('cancelled'), changeStocks()]);
    };
    await Promise.all(lanes().map(run));

    const rows = await ledger();
    await expectBalance(rows);
    await expectReturnedOnce(rows);
    const announced = await announcements();
    const requested = new Set(
      lanes()
        .flat(2)
        .flatMap(({ steps }) => steps)
        .flatMap((step) => (isStockStep(step) ? [] : step.batch))
        .flatMap((one) =>
          'requestedAt' in one ? [`${one.id} ${one.productId} ${one.quantity}`] : [],
        ),
    );
    for (const { orderId, productId, quantity, status, refused } of await decisions()) {
      const statuses = (announced.get(orderId) ?? []).map((one) => one.status);
      expect(statuses.at(-1)).toBe(status);
      const changes = statuses.filter((one, index) => one !== statuses[index - 1]);
      expect(['CONFIRMED', 'REJECTED', 'CANCELLED', 'CONFIRMED,CANCELLED']).toContain(
        changes.join(),
      );
      const isRequested = requested.has(`${orderId} ${productId} ${quantity}`);
      if (status === 'CONFIRMED' && isRequested) expect(refused).not.toBeNull();
    }
  });
});
