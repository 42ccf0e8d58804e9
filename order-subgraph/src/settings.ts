import { ORDER_CHANGED, ORDER_CREATED, ORDER_DECIDED } from '@gudang/events';
import {
  databaseSettings,
  httpSettings,
  identitySettings,
  integer,
  kafkaSettings,
  postgresUrl,
  type SettingsOf,
  type TopicSpec,
  withDeadLetters,
} from '@gudang/service';

export const settingsTable = {
  ...httpSettings(8000),
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

/** The topics that the orders need; whichever service starts first creates them. */
export function topicsOf({
  KAFKA_PARTITIONS,
}: SettingsOf<typeof kafkaSettings>): readonly TopicSpec[] {
  return [
    ...withDeadLetters({ topic: ORDER_CREATED, partitions: KAFKA_PARTITIONS }),
    ...withDeadLetters({ topic: ORDER_DECIDED, partitions: KAFKA_PARTITIONS }),
    { topic: ORDER_CHANGED, partitions: 1, totalOrder: true },
  ];
}
