import { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { kafkaSettings } from '@gudang/kafka/settings';
import { databaseSettings } from '@gudang/postgres/settings';
import { integer, postgresUrl } from '@gudang/runtime/settings';

export const settingsTable = {
  ...protectedHttpSettings(8000),
  ORDER_DATABASE_URL: {
    description: 'The PostgreSQL database of the orders',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://user:password@127.0.0.1:5432/order_db',
  },
  RECONCILE_AFTER: {
    description:
      'Seconds an order stays PENDING before its event is published again; 0: never, for when ' +
      'the earlier stock service, which counts repeats, consumes order_created',
    parse: integer(0, 86_400),
    default: '60',
  },
  ...identitySettings,
  ...databaseSettings,
  ...kafkaSettings,
} as const;
