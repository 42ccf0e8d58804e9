export { createDatabase, type DatabaseOptions, startDatabase } from './pool.ts';
export type { SqlClient } from './sql-client.ts';
export { isInvalidData, isOutage, sqlState } from './sql-state.ts';
export type { RawTransaction, Statements } from './statements.ts';
