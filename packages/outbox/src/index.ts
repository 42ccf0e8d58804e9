export type { InboxMessage } from './inbox/apply-batch.ts';
export { DeadLetters } from './inbox/dead-letters.ts';
export { type Subject, startInboxConsumer } from './inbox/inbox-consumer.ts';
export { measureOutbox, OLDEST_ROW } from './outbox-metrics.ts';
export { type Relay, startRelay } from './relay.ts';
export { type OutboxEvent, writeEvents } from './write-events.ts';
