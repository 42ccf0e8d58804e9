export {
  postgresAdapter,
  postgresPool,
  startClient,
  TRANSACTION_OPTIONS,
} from './prisma-client.ts';
export {
  createSetWise,
  createStatements,
  type RawTransaction,
  type SetWise,
} from './set-wise.ts';
export { isOutage, isRefusedData, sqlState, UNIQUE_VIOLATION } from './sql-state.ts';
