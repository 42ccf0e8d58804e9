export { postgresAdapter, startClient, TRANSACTION_OPTIONS } from './prisma-client.ts';
export { isOutage, isRefusedData, sqlState, UNIQUE_VIOLATION } from './sql-state.ts';
