export { type Backoff, createBackoff, pause } from './backoff.ts';
export { postgresAdapter, startClient } from './database/prisma-client.ts';
export { isOutage, isRefusedData, sqlState, UNIQUE_VIOLATION } from './database/sql-state.ts';
export { badUserInput, type ErrorCode, notFound, ServiceError, unavailable } from './errors.ts';
export { type Cursor, formatCursor, parseCursor } from './feed/cursor.ts';
export { type Feed, startFeed } from './feed/feed.ts';
export { readArguments, textOf, wholeNumber } from './graphql/arguments.ts';
export { DateTime } from './graphql/date-time.ts';
export {
  type Connection,
  formatTimePlace,
  type Page,
  type PageArguments,
  parseTimePlace,
  readPage,
  type TimePlace,
  toConnection,
} from './graphql/page.ts';
export { exposePosition, type Position } from './graphql/positions.ts';
export { presentError } from './graphql/present-error.ts';
export { serveSubgraph } from './graphql/serve-subgraph.ts';
export { validateSafely } from './graphql/validate-safely.ts';
export { createHealth, type Health, type HealthReport, OK, type PartState } from './health.ts';
export { BODY_LIMIT, createHttpServer, type RunningHttp, startHttp } from './http/http-server.ts';
export { IDENTITY_HEADER, SECRET_HEADER } from './identity/believed-identity.ts';
export { ANONYMOUS, encodeIdentity, type Identity, isAnonymous } from './identity/identity.ts';
export type { Readable } from './kafka/apply-batch.ts';
export { startInboxConsumer } from './kafka/inbox-consumer.ts';
export { type KafkaConnection, startKafka } from './kafka/kafka-connection.ts';
export type { KafkaRecord } from './kafka/record.ts';
export { type TopicSpec, withDeadLetters } from './kafka/topics.ts';
export { type ProcessContext, runProcess, type Stoppable } from './lifecycle.ts';
export { createLogger, type Logger, withoutCredentials } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type Relay, startRelay } from './outbox/relay.ts';
export {
  type DeadLetter,
  type OutboxEvent,
  type SqlClient,
  writeDeadLetters,
  writeEvents,
} from './outbox/write-events.ts';
export { fieldsOf, REST_LIST_LIMIT, type RestAnswer, serveRest } from './rest/serve-rest.ts';
export { runService, type Service } from './service.ts';
export * from './settings/settings.ts';
export { type SettingRow, settingsMarkdown } from './settings/settings-table.ts';
export {
  databaseSettings,
  httpSettings,
  identitySettings,
  kafkaSettings,
} from './settings/shared-settings.ts';
export { StartError } from './start-error.ts';
