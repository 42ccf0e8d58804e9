export type { Readable } from './apply-batch.ts';
export { startInboxConsumer } from './inbox-consumer.ts';
export { type KafkaConnection, startKafka } from './kafka-connection.ts';
export type { KafkaRecord } from './record.ts';
export { topicsOf } from './topics.ts';
