export { measureOutbox } from './outbox-metrics.ts';
export { type Relay, startRelay } from './relay.ts';
export {
  type DeadLetter,
  type OutboxEvent,
  type SqlClient,
  writeDeadLetters,
  writeEvents,
} from './write-events.ts';
