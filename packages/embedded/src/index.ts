export type { Exit } from './child.ts';
export { freePort } from './free-port.ts';
export { type KafkaOptions, type RunningKafka, startKafka } from './kafka.ts';
export { type PostgresOptions, type RunningPostgres, startPostgres } from './postgres.ts';
export { StartError } from './start-error.ts';
export { startSettingsTable } from './start-settings.ts';
