export { type JourneyReceiver, receiveJourneys } from './journeys/receive-journeys.ts';
export { type KafkaOptions, type RunningKafka, startKafka } from './kafka/kafka.ts';
export { fetchKafkaLibraries } from './kafka/kafka-libraries.ts';
export { startSettingsTable } from './npm-start/start-settings.ts';
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres/postgres.ts';
export type { Exit } from './processes/child.ts';
export { freePort } from './processes/free-port.ts';
