import { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { snapshotSettings } from '@gudang/change-feed/settings';
import { idempotencySettings } from '@gudang/idempotency/settings';
import { kafkaSettings } from '@gudang/kafka/settings';
import { databaseSettings } from '@gudang/postgres/settings';
import { callerSettings, postgresUrl } from '@gudang/runtime/settings';

export const settingsTable = {
  ...protectedHttpSettings(8001),
  STOCK_DATABASE_URL: {
    description: 'URL of the PostgreSQL database of the stock subgraph',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://user:password@127.0.0.1:5432/stock_db',
  },
  STOCK_DATABASE_DIRECT_URL: {
    description:
      'URL of the same database without a pooler, for the outbox relay and for migrations; ' +
      'default: STOCK_DATABASE_URL',
    parse: postgresUrl,
    secret: true,
    optional: true,
  },
  ...identitySettings,
  ...callerSettings,
  ...databaseSettings,
  ...idempotencySettings,
  ...kafkaSettings,
  ...snapshotSettings,
} as const;
