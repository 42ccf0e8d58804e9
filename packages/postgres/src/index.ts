export {
  postgresAdapter,
  postgresPool,
  startClient,
  TRANSACTION_OPTIONS,
} from './pool.ts';
export type { SqlClient } from './sql-client.ts';
export { isInvalidData, isOutage, sqlState } from './sql-state.ts';
export { type RawTransaction, type Statements, withStatements } from './statements.ts';
