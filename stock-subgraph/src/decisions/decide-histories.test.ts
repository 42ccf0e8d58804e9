import assert from 'node:assert/strict';
import { type OrderDecided, STOCK_QUANTITY, type StockChanged } from '@gudang/events';
import {
  type HistoryStep,
  type OrderHistory,
  type OrderRequest,
  orderHistories,
} from '@gudang/testing/histories/generate-histories';
import { type Announcement, OrderModel } from '@gudang/testing/histories/order-model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StockRow } from '../stocks/lock-stocks.ts';
import { type Decision, decide } from './decide.ts';

const HISTORIES = 10_000;
const SEED = 18;
/** All histories take about 2 s of CPU time, and longer on a loaded machine. */
const TIMEOUT_MS = 60_000;
const OUTCOMES = [
  'confirmed',
  'refused',
  'returned',
  'deleted',
  'not taken',
  'OUT_OF_STOCK',
  'UNKNOWN_PRODUCT',
];
const now = new Date('2026-01-03T00:00:00.000Z');

/** The tables of stock_db, in memory. */
class Tables {
  readonly stocks = new Map<string, StockRow>();
  readonly addedVersions = new Map<string, number>();
  readonly decisions = new Map<string, Decision>();
  readonly ledger: StockChanged[] = [];

  /** Applies a batch as the consumers do. @returns the announcements, and the dead letters as null */
  deliver(batch: readonly OrderRequest[]): (Announcement | null)[] {
    const requests = batch.map((request, index) => ({ ...request, index }));
    const { decided, updated, announced, changes, contradictions } = decide(requests, {
      stocks: this.stocks,
      addedVersions: this.addedVersions,
      earlier: this.decisions,
      now,
    });
    for (const change of changes) this.#write(change, null);
    for (const decision of decided) {
      assert.ok(!this.decisions.has(decision.orderId));
      this.decisions.set(decision.orderId, decision);
    }
    for (const decision of updated) {
      assert.equal(this.decisions.get(decision.orderId)?.status, 'CONFIRMED');
      this.decisions.set(decision.orderId, decision);
    }
    const answers: (Announcement | null)[] = announced.map(({ decision }) =>
      announcement(decision),
    );
    // Every record is either announced or dead-lettered, in the order of the batch.
    for (const { request } of contradictions) answers.splice(request.index, 0, null);
    return answers;
  }

  change({ kind, productId, quantity }: Exclude<HistoryStep, { kind: 'deliver' }>): void {
    const before = this.stocks.get(productId);
    const exists = before !== undefined && before.deletedAt === null;
    if (kind === 'update' && !exists) return;
    const version = (before?.version ?? 0) + 1;
    const isDeletion = kind === 'replace' && exists;
    const after = isDeletion ? 0 : quantity;
    const stock = { id: productId, name: productId, quantity: after, version };
    const times = { createdAt: now, updatedAt: now };
    const written = isDeletion ? 'DELETED' : kind === 'update' ? 'UPDATED' : 'CREATED';
    const delta = after - (before?.quantity ?? 0);
    const change = { kind: written, delta, orderId: null } as const;
    this.#write({ ...change, stock: { ...stock, ...times } }, isDeletion ? now : null);
    if (written === 'CREATED') this.addedVersions.set(productId, version);
  }

  #write(change: StockChanged, deletedAt: Date | null): void {
    this.stocks.set(change.stock.id, { ...change.stock, deletedAt });
    this.ledger.push(change);
  }
}

function announcement({ orderId, status, reason, cancelRefusal }: OrderDecided): Announcement {
  return { orderId, status, reason, refused: cancelRefusal?.requestedAt ?? null };
}

/** Runs a history on the decision function and on the model, and compares every answer and quantity. */
function compare({ steps }: OrderHistory): Tables {
  const tables = new Tables();
  const model = new OrderModel();
  for (const step of steps) {
    if (step.kind === 'deliver') {
      const answers = tables.deliver(step.batch);
      assert.deepEqual(
        answers,
        step.batch.map((request) => model.answer(request)),
      );
    } else {
      tables.change(step);
      model[step.kind](step.productId, step.quantity);
    }
    for (const { id, quantity, deletedAt } of tables.stocks.values()) {
      assert.equal(deletedAt ? null : quantity, model.quantity(id));
    }
  }
  assert.equal(tables.decisions.size, model.orders.size);
  for (const [id, { status, reason, refused }] of model.orders) {
    const decision = tables.decisions.get(id);
    assert.ok(decision);
    assert.deepEqual(announcement(decision), { orderId: id, status, reason, refused });
    assert.equal(decision.cancelledAt !== null, status === 'CANCELLED');
  }
  return tables;
}

/** Checks the ledger without the model. @returns the outcomes that the history reached */
function checkLedger({ ledger, decisions, stocks }: Tables): string[] {
  const entries = new Set<string>();
  const sums = new Map<string, number>();
  for (const { stock, kind, delta, orderId } of ledger) {
    const sum = (sums.get(stock.id) ?? 0) + delta;
    sums.set(stock.id, sum);
    assert.equal(stock.quantity, sum);
    assert.ok(sum >= 0 && sum <= STOCK_QUANTITY.max);
    if (orderId === null) continue;
    const entry = `${orderId} ${kind}`;
    assert.ok(!entries.has(entry), `${entry} twice`);
    entries.add(entry);
    if (kind === 'RETURNED') assert.ok(entries.has(`${orderId} ORDERED`));
  }
  for (const { id, quantity } of stocks.values()) assert.equal(sums.get(id), quantity);
  return [...decisions.values()].map(({ orderId, status, reason, cancelRefusal }) => {
    const isTaken = entries.has(`${orderId} ORDERED`);
    const isReturned = entries.has(`${orderId} RETURNED`);
    if (status === 'CONFIRMED') {
      assert.ok(isTaken && !isReturned);
      return cancelRefusal ? 'refused' : 'confirmed';
    }
    if (status === 'CANCELLED') return isReturned ? 'returned' : isTaken ? 'deleted' : 'not taken';
    assert.ok(!isTaken);
    return reason ?? '';
  });
}

describe('decide with generated histories', () => {
  it(
    `answers ${HISTORIES} histories of orders, cancellations, repeats, replays and deletions like the model`,
    () => {
      const reached = new Map<string, number>();
      fc.assert(
        fc.property(orderHistories, (history) => {
          for (const outcome of checkLedger(compare(history))) {
            reached.set(outcome, (reached.get(outcome) ?? 0) + 1);
          }
        }),
        { numRuns: HISTORIES, seed: SEED },
      );
      // The generator reaches every outcome often.
      for (const outcome of OUTCOMES) {
        expect(reached.get(outcome), outcome).toBeGreaterThan(HISTORIES / 100);
      }
    },
    TIMEOUT_MS,
  );
});
