import { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { snapshotSettings } from '@gudang/change-feed/settings';
import { idempotencySettings } from '@gudang/idempotency/settings';
import { kafkaSettings } from '@gudang/kafka/settings';
import { databaseSettings } from '@gudang/postgres/settings';
import { callerSettings, choice, integer, postgresUrl } from '@gudang/runtime/settings';

export const settingsTable = {
  ...protectedHttpSettings(8000),
  ORDER_DATABASE_URL: {
    description: 'URL of the PostgreSQL database of the order subgraph',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://user:password@127.0.0.1:5432/order_db',
  },
  ORDER_DATABASE_DIRECT_URL: {
    description:
      'URL of the same database without a pooler, for the outbox relay and for migrations; ' +
      'default: ORDER_DATABASE_URL',
    parse: postgresUrl,
    secret: true,
    optional: true,
  },
  RECONCILE_AFTER: {
    description:
      'Seconds that an order stays PENDING before its event is published again; 0: never, required ' +
      'while the earlier stock service consumes order_created, because it applies repeats',
    parse: integer(0, 86_400),
    default: '60',
  },
  CANCEL_WITHIN: {
    description:
      'Seconds after its creation in which the owner of an order can cancel it; callers with the scope ' +
      'order:write:all can always cancel it',
    parse: integer(0, 315_360_000),
    default: '2592000',
  },
  CANCELLING: {
    description:
      'Whether orders can be cancelled: on, or off. It must be off until every replica of both subgraphs ' +
      'runs a release that knows cancellations',
    parse: choice('on', 'off'),
    default: 'on',
  },
  ...identitySettings,
  ...callerSettings,
  ...databaseSettings,
  ...idempotencySettings,
  ...kafkaSettings,
  ...snapshotSettings,
} as const;
