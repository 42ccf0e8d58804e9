export { startConsumer } from './consumer.ts';
export { measureLag } from './consumer-lag.ts';
export { createKafkaClient, LONGEST_RETRY_MS } from './kafka-client.ts';
export { type KafkaConnection, startKafka } from './kafka-connection.ts';
export { kafkaProblem, protocolErrors } from './kafka-problem.ts';
export { readTopic, topicBounds } from './read-topic.ts';
export {
  fetchedOffset,
  headerNumber,
  headerText,
  isNullHeader,
  type KafkaRecord,
  toRecords,
} from './record.ts';
export { createConsumer, runConsumer } from './run-consumer.ts';
export { serviceTopics, withDeadLetters } from './topics.ts';
