export {
  postgresAdapter,
  postgresPool,
  startClient,
  TRANSACTION_OPTIONS,
} from './prisma-client.ts';
export type { SqlClient } from './sql-client.ts';
export { isOutage, isRefusedData, sqlState } from './sql-state.ts';
export { type RawTransaction, type Statements, withStatements } from './statements.ts';
