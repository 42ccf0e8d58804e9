import { ERROR_LINE } from '@gudang/testing/system/service-process';
import { UNUSUAL_SESSION_DEFAULTS } from '@gudang/testing/system/session-defaults';
import { useSystem } from '@gudang/testing/system/use-system';
import { describe, expect, test } from 'vitest';
import {
  expectChangesOfClocksKept,
  expectDeletionsInSnapshot,
  expectLostOrderSettled,
  expectPagesInOrder,
  expectSameTimesEverywhere,
} from './order-times.ts';

const ZONES = [
  { databases: 'Asia/Jakarta', processes: 'America/New_York' },
  { databases: 'America/New_York', processes: 'Asia/Jakarta' },
];

describe.each(ZONES)(
  'with databases in $databases, processes in $processes and unusual session defaults',
  ({ databases, processes }) => {
    const system = useSystem({
      sessionDefaults: { ...UNUSUAL_SESSION_DEFAULTS, TimeZone: databases },
      environment: { all: { TZ: processes }, order: { RECONCILE_AFTER: '2' } },
    });

    test('shows the same time of an order and its change in every response and record', () =>
      expectSameTimesEverywhere(system()));
    test('pages through orders and stocks', () => expectPagesInOrder(system()));
    test('includes deletions in a snapshot', () => expectDeletionsInSnapshot(system()));
    test('publishes lost orders again', () => expectLostOrderSettled(system()));
    test('keeps times of a repeated and after a missing hour', () =>
      expectChangesOfClocksKept(system()));

    test('logs no errors', () => {
      const errors = system()
        .parts()
        .flatMap((part) => part.output().split('\n'))
        .filter((line) => ERROR_LINE.test(line));
      expect(errors).toEqual([]);
    });
  },
);
