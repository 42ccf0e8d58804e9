export {
  postgresAdapter,
  postgresPool,
  startClient,
  TRANSACTION_OPTIONS,
} from './prisma-client.ts';
export { isOutage, isRefusedData, sqlState, UNIQUE_VIOLATION } from './sql-state.ts';
export { type RawTransaction, type Statements, withStatements } from './statements.ts';
