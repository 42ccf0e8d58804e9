export { type DatabaseName, databases } from './databases.ts';
export { type MigrateOptions, type MigrateResult, migrate } from './migrate-database.ts';
export { MigrateError } from './migrate-error.ts';
