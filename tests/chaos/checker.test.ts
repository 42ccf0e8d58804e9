import type { TopicRecord } from '@gudang/testing/topic-archive';
import { describe, expect, it } from 'vitest';
import { at, type Breakable, breachesOf } from './break-history.ts';
import { check } from './checker.ts';
import type { History } from './history.ts';
import { CONFIRMED, REJECTED, record, soundHistory } from './sound-history.ts';

function again(records: TopicRecord[] | undefined, value: object): void {
  records?.push(record('order_changed', 99, value));
}

it('finds nothing in a sound history', () => {
  expect(check(soundHistory())).toEqual([]);
});

describe('guarantee 1', () => {
  it.each<[string, (history: Breakable<History>) => void]>([
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
    ['a stock that is gone', ({ stocks }) => void stocks.pop()],
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
      'a version beyond the ledger',
      ({ stocks }) => {
        at(stocks, 0).version = 4;
      },
    ],
    ['an adjustment that is lost', ({ movements }) => void movements.pop()],
    [
      'an adjustment made twice',
      ({ movements, stocks }) => {
        movements.push({ ...at(movements, 2), version: 4, quantityAfter: 12 });
        Object.assign(at(stocks, 0), { quantity: 12, version: 4 });
      },
    ],
    [
      'a confirmed order beside the stock',
      ({ decisions }) =>
        void Object.assign(at(decisions, 1), { status: 'CONFIRMED', reason: null }),
    ],
  ])('sees %s', (_what, damage) => {
    expect(breachesOf(damage)).toContainEqual(expect.stringMatching(/^1: /));
  });

  it('lets an adjustment that had no answer have happened, or not', () => {
    const unheard = (history: Breakable<History>): void => {
      at(history.told.adjusted, 0).acknowledged = false;
    };
    expect(breachesOf(unheard)).toEqual([]);
    const undone = (history: Breakable<History>): void => {
      unheard(history);
      history.movements.pop();
      Object.assign(at(history.stocks, 0), { quantity: 6, version: 2 });
      at(history.told.watchers, 0).seen.pop();
    };
    expect(breachesOf(undone)).toEqual([]);
  });
});

describe('guarantee 2', () => {
  it.each<[string, (history: Breakable<History>) => void]>([
    ['an acknowledged order that is lost', ({ orders }) => void orders.pop()],
    [
      'an order that stays PENDING',
      ({ orders }) => {
        at(orders, 0).status = 'PENDING';
      },
    ],
    [
      'an order that is stored otherwise',
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
    ['a confirmed order that took nothing', ({ movements }) => void movements.splice(1, 1)],
    [
      'a confirmed order that took too little',
      ({ movements }) => {
        at(movements, 1).delta = -3;
      },
    ],
    [
      'two orders of one idempotency key',
      ({ told }) => {
        at(told.acknowledged, 1).idempotencyKey = CONFIRMED;
      },
    ],
  ])('sees %s', (_what, damage) => {
    expect(breachesOf(damage)).toContainEqual(expect.stringMatching(/^2: /));
  });
});

describe('guarantee 3', () => {
  it.each<[string, (history: Breakable<History>) => void]>([
    ['a status that stock did not decide', ({ decisions }) => void decisions.pop()],
    [
      'a status other than the decision',
      ({ orders }) => {
        at(orders, 1).status = 'CONFIRMED';
      },
    ],
    [
      'another reason',
      ({ orders }) => {
        at(orders, 1).reason = 'UNKNOWN_PRODUCT';
      },
    ],
    [
      'an announcement other than the decision',
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
      'a status that moves on after it was final',
      ({ records }) => again(records['order_changed'], { id: CONFIRMED, status: 'REJECTED' }),
    ],
    ['a status that was never shown', ({ records }) => void records['order_changed']?.pop()],
  ])('sees %s', (_what, damage) => {
    expect(breachesOf(damage)).toContainEqual(expect.stringMatching(/^3: /));
  });

  it('takes a late repeat of PENDING for what it is', () => {
    const late = ({ records }: Breakable<History>): void =>
      again(records['order_changed'], { id: CONFIRMED, status: 'PENDING' });
    expect(breachesOf(late)).toEqual([]);
  });
});

describe('guarantee 4', () => {
  it.each<[string, (history: Breakable<History>) => void]>([
    ['a bad record that was skipped', ({ records }) => void records['order_created.dlt']?.pop()],
    [
      'an order that was skipped',
      ({ records }) => {
        const order = {
          id: '00000000-0000-4000-8000-000000000003',
          product_id: 'tea',
          quantity: 1,
        };
        records['order_created']?.push(record('order_created', 3, order));
      },
    ],
    [
      'a known order with another quantity that was taken for a repeat',
      ({ records }) => {
        const order = { id: CONFIRMED, product_id: 'tea', quantity: 5 };
        records['order_created']?.push(record('order_created', 3, order));
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
      'a sound record that was dead-lettered',
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
      ({ told }) => {
        told.foreign.push({ id: 'nobody', productId: 'tea' });
      },
    ],
    [
      'an event that waits',
      (history) => {
        history.unsent = 1;
      },
    ],
    [
      'an event that was set aside',
      (history) => {
        history.setAside = 1;
      },
    ],
  ])('sees %s', (_what, damage) => {
    expect(breachesOf(damage)).toContainEqual(expect.stringMatching(/^4: /));
  });

  it('takes a repeat for what it is', () => {
    const twice = ({ records }: Breakable<History>): void => {
      const order = { id: CONFIRMED, product_id: 'tea', quantity: 4 };
      records['order_created']?.push(record('order_created', 3, order));
    };
    expect(breachesOf(twice)).toEqual([]);
  });
});
