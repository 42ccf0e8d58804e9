export { type DatabaseName, databases, MigrateError } from './databases.ts';
export { type MigrateOptions, type MigrateResult, migrate } from './migrate-database.ts';
