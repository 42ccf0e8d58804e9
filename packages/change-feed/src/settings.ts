import { integer, type Setting } from '@gudang/runtime/settings';

/** Settings of each process that sends snapshots of the rows that changed since a cursor. */
export const snapshotSettings = {
  SNAPSHOT_DAYS: {
    description:
      'Maximum age in days of a cursor after which a stream of orders, or of low stocks, sends the rows that ' +
      'changed since; an older cursor gets the error CURSOR_EXPIRED',
    parse: integer(1, 365),
    default: '7',
  },
} as const satisfies Record<string, Setting>;
