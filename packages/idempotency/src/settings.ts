import { integer, type Setting } from '@gudang/runtime/settings';

/** Settings of each process that stores idempotency keys. */
export const idempotencySettings = {
  IDEMPOTENCY_DAYS: {
    description:
      'Days for which the idempotency keys of mutations and their results are kept; the keys of ' +
      'createOrder are kept indefinitely, with the order',
    parse: integer(1, 3_650),
    default: '30',
  },
} as const satisfies Record<string, Setting>;
