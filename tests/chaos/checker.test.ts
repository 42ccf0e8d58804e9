import type { TopicRecord } from '@gudang/testing/topic-archive';
import { describe, expect, it } from 'vitest';
import { check } from './checker.ts';
import type { History } from './history.ts';
import {
  at,
  breachesAfter,
  CANCELLED,
  CONFIRMED,
  type Mutable,
  REJECTED,
  record,
  validHistory,
} from './history-fixture.ts';

function again(records: TopicRecord[] | undefined, value: object): void {
  records?.push(record('order_changed', 99, value));
}

it('finds no violation in a valid history', () => {
  expect(check(validHistory())).toEqual([]);
});

describe('the check of guarantee 1', () => {
  it.each<[string, (history: Mutable<History>) => void]>([
    [
      'a quantity that does not add up',
      ({ stocks }) => {
        at(stocks, 0).quantity = 8;
      },
    ],
    [
      'a quantity below 0',
      ({ stocks }) => {
        at(stocks, 0).quantity = -1;
      },
    ],
    ['a missing stock', ({ stocks }) => void stocks.pop()],
    [
      'a gap in the ledger',
      ({ movements }) => {
        at(movements, 2).version = 4;
      },
    ],
    [
      'a ledger entry with a wrong sum',
      ({ movements }) => {
        at(movements, 1).quantityAfter = 7;
      },
    ],
    [
      'a stock version without a ledger entry',
      ({ stocks }) => {
        at(stocks, 0).version = 6;
      },
    ],
    ['a lost adjustment', ({ movements }) => void movements.pop()],
    [
      'an adjustment applied twice',
      ({ movements, stocks }) => {
        movements.push({ ...at(movements, 2), version: 6, quantityAfter: 12 });
        Object.assign(at(stocks, 0), { quantity: 12, version: 6 });
      },
    ],
    [
      'a confirmed order that did not reduce the stock',
      ({ decisions }) =>
        void Object.assign(at(decisions, 1), { status: 'CONFIRMED', reason: null }),
    ],
  ])('reports %s', (_what, damage) => {
    expect(breachesAfter(damage)).toContainEqual(expect.stringMatching(/^1: /));
  });

  it('accepts an unacknowledged adjustment, whether it was applied or not', () => {
    const unheard = (history: Mutable<History>): void => {
      at(history.observed.adjusted, 0).acknowledged = false;
    };
    expect(breachesAfter(unheard)).toEqual([]);
    const undone = (history: Mutable<History>): void => {
      unheard(history);
      const { movements, orders, decisions, observed, records, stocks } = history;
      movements.splice(2);
      orders.pop();
      decisions.pop();
      observed.acknowledged.pop();
      observed.cancelled.pop();
      Object.assign(at(stocks, 0), { quantity: 6, version: 2 });
      at(observed.watchers, 0).seen.splice(1);
      for (const topic of ['order_created', 'order_cancelled']) {
        const kept = records[topic]?.filter(({ value }) => !value?.includes(CANCELLED)) ?? [];
        records[topic] = kept;
      }
    };
    expect(breachesAfter(undone)).toEqual([]);
  });
});

describe('the check of guarantee 2', () => {
  it.each<[string, (history: Mutable<History>) => void]>([
    ['a lost acknowledged order', ({ orders }) => void orders.pop()],
    [
      'an order that stays PENDING',
      ({ orders }) => {
        at(orders, 0).status = 'PENDING';
      },
    ],
    [
      'an order stored with other values',
      ({ orders }) => {
        at(orders, 0).quantity = 5;
      },
    ],
    ['an order that took stock twice', ({ movements }) => void movements.push(at(movements, 1))],
    [
      'a rejected order that took stock',
      ({ movements }) => {
        at(movements, 1).orderId = REJECTED;
      },
    ],
    [
      'a cancelled order that returned stock twice',
      ({ movements }) => void movements.push(at(movements, 4)),
    ],
    [
      'a cancelled order that returned nothing',
      ({ movements }) => {
        movements.splice(4, 1);
      },
    ],
    [
      'a cancelled order that returned too little',
      ({ movements }) => {
        at(movements, 4).delta = 1;
      },
    ],
    [
      'a confirmed order that returned stock',
      ({ movements }) => {
        at(movements, 4).orderId = CONFIRMED;
      },
    ],
    [
      'a cancellation without an answer',
      ({ orders }) => {
        at(orders, 0).isCancelRequested = true;
      },
    ],
    [
      'a lost acknowledged cancellation',
      ({ observed }) => {
        observed.cancelled.push(CONFIRMED);
      },
    ],
    ['a confirmed order that took nothing', ({ movements }) => void movements.splice(1, 1)],
    [
      'a confirmed order that took too little',
      ({ movements }) => {
        at(movements, 1).delta = -3;
      },
    ],
    [
      'two orders with one idempotency key',
      ({ observed }) => {
        at(observed.acknowledged, 1).idempotencyKey = CONFIRMED;
      },
    ],
  ])('reports %s', (_what, damage) => {
    expect(breachesAfter(damage)).toContainEqual(expect.stringMatching(/^2: /));
  });
});

describe('the check of guarantee 3', () => {
  it.each<[string, (history: Mutable<History>) => void]>([
    ['a status without a decision', ({ decisions }) => void decisions.pop()],
    [
      'a status that differs from the decision',
      ({ orders }) => {
        at(orders, 1).status = 'CONFIRMED';
      },
    ],
    [
      'a rejection reason that differs from the decision',
      ({ orders }) => {
        at(orders, 1).reason = 'UNKNOWN_PRODUCT';
      },
    ],
    [
      'a published decision that differs from the stored one',
      ({ records }) => {
        const value = { order_id: CONFIRMED, status: 'REJECTED', reason: 'OUT_OF_STOCK' };
        records['order_decided'] = [record('order_decided', 0, value)];
      },
    ],
    [
      'a second decision',
      ({ records }) => {
        const value = { order_id: REJECTED, status: 'CONFIRMED', reason: null };
        records['order_decided']?.push(record('order_decided', 9, value));
      },
    ],
    [
      'a final status that changes',
      ({ records }) => again(records['order_changed'], { id: CONFIRMED, status: 'REJECTED' }),
    ],
    ['a status that was not published', ({ records }) => void records['order_changed']?.pop()],
  ])('reports %s', (_what, damage) => {
    expect(breachesAfter(damage)).toContainEqual(expect.stringMatching(/^3: /));
  });

  it('accepts a refused cancellation, after which the order stays CONFIRMED', () => {
    const refused = (history: Mutable<History>): void => {
      const { decisions, observed, records } = history;
      at(decisions, 0).isCancelRefused = true;
      observed.cancelled.push(CONFIRMED);
      const order = { id: CONFIRMED, product_id: 'tea', quantity: 4 };
      records['order_cancelled']?.push(record('order_cancelled', 1, order));
    };
    expect(breachesAfter(refused)).toEqual([]);
  });

  it('accepts a PENDING record that follows the record of the decision', () => {
    const late = ({ records }: Mutable<History>): void =>
      again(records['order_changed'], { id: CONFIRMED, status: 'PENDING' });
    expect(breachesAfter(late)).toEqual([]);
  });
});

describe('the check of guarantee 4', () => {
  it.each<[string, (history: Mutable<History>) => void]>([
    [
      'an invalid record that was skipped',
      ({ records }) => void records['order_created.dlt']?.pop(),
    ],
    [
      'a request to cancel that was skipped',
      ({ records }) => {
        const order = { id: CONFIRMED, product_id: 'tea', quantity: 4 };
        records['order_cancelled']?.push(record('order_cancelled', 1, order));
      },
    ],
    [
      'an order that was skipped',
      ({ records }) => {
        const order = {
          id: '00000000-0000-4000-8000-000000000004',
          product_id: 'tea',
          quantity: 1,
        };
        records['order_created']?.push(record('order_created', 4, order));
      },
    ],
    [
      'an order id with another quantity that was treated as a repeat',
      ({ records }) => {
        const order = { id: CONFIRMED, product_id: 'tea', quantity: 5 };
        records['order_created']?.push(record('order_created', 4, order));
      },
    ],
    [
      'a dead letter with other bytes',
      ({ records }) => {
        at(records['order_created.dlt'], 0).value = Buffer.from('{}');
      },
    ],
    [
      'a dead letter without a reason',
      ({ records }) => {
        at(records['order_created.dlt'], 0).headers['gudang_reason'] = '';
      },
    ],
    [
      'a valid record that was dead-lettered',
      ({ records }) => {
        at(records['order_created.dlt'], 0).headers['gudang_origin_offset'] = '0';
      },
    ],
    [
      'a decision that was dead-lettered',
      ({ records }) => void records['order_decided.dlt']?.push(record('order_decided.dlt', 0, {})),
    ],
    [
      'an order of another system that was not decided',
      ({ observed }) => {
        observed.foreign.push({ id: 'undecided', productId: 'tea' });
      },
    ],
    [
      'an unsent event',

      (history) => {
        history.unsent = 1;
      },
    ],
    [
      'a rejected outbox event',
      (history) => {
        history.setAside = 1;
      },
    ],
  ])('reports %s', (_what, damage) => {
    expect(breachesAfter(damage)).toContainEqual(expect.stringMatching(/^4: /));
  });

  it('accepts repeated records', () => {
    const twice = ({ records }: Mutable<History>): void => {
      const order = { id: CONFIRMED, product_id: 'tea', quantity: 4 };
      records['order_created']?.push(record('order_created', 4, order));
    };
    expect(breachesAfter(twice)).toEqual([]);
  });
});
