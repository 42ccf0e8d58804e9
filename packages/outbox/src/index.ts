export type { Readable } from './inbox/apply-batch.ts';
export { startInboxConsumer } from './inbox/inbox-consumer.ts';
export { measureOutbox } from './outbox-metrics.ts';
export { type Relay, startRelay } from './relay.ts';
export { traceSending } from './trace-sending.ts';
export { type DeadLetter, writeDeadLetters, writeEvents } from './write-events.ts';
