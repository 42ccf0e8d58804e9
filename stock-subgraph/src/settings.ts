import { ORDER_CREATED, ORDER_DECIDED, STOCK_CHANGED } from '@gudang/events';
import {
  databaseSettings,
  httpSettings,
  identitySettings,
  kafkaSettings,
  postgresUrl,
  type SettingsOf,
  type TopicSpec,
  withDeadLetters,
} from '@gudang/service';

export const settingsTable = {
  ...httpSettings(8001),
  STOCK_DATABASE_URL: {
    description: 'The PostgreSQL database of the stocks',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://user:password@127.0.0.1:5432/stock_db',
  },
  ...identitySettings,
  ...databaseSettings,
  ...kafkaSettings,
} as const;

/** The topics that the stocks need; whichever service starts first creates them. */
export function topicsOf({
  KAFKA_PARTITIONS,
}: SettingsOf<typeof kafkaSettings>): readonly TopicSpec[] {
  return [
    ...withDeadLetters({ topic: ORDER_CREATED, partitions: KAFKA_PARTITIONS }),
    ...withDeadLetters({ topic: ORDER_DECIDED, partitions: KAFKA_PARTITIONS }),
    { topic: STOCK_CHANGED, partitions: 1, totalOrder: true },
  ];
}
