import type { Identity } from '@gudang/auth';
import { SHARED_TOPICS, STOCK_CHANGED } from '@gudang/events';
import type { ProcessContext } from '@gudang/runtime';
import { startSubgraph } from '@gudang/subgraph';
import { createContext } from './context.ts';
import { openDatabase } from './database.ts';
import { createDecisionLoader } from './decisions/find-decisions.ts';
import { orderCancelledConsumer } from './decisions/order-cancelled-consumer.ts';
import { orderCreatedConsumer } from './decisions/order-created-consumer.ts';
import { entities, resolvers } from './resolvers.ts';
import { serveStockRest } from './rest/stock-routes.ts';
import type { settingsTable } from './settings.ts';

const DAY_MS = 86_400_000;

/** Starts the stock subgraph: the parts of `startSubgraph` and the parts that only this subgraph has. */
export function startStockSubgraph(context: ProcessContext<typeof settingsTable>): Promise<void> {
  return startSubgraph(context, {
    databaseSetting: 'STOCK_DATABASE_URL',
    directDatabaseSetting: 'STOCK_DATABASE_DIRECT_URL',
    openDatabase,
    sharedTopics: SHARED_TOPICS,
    whileKafkaIsUnavailable: 'Stock changes are stored and sent when it returns',
    changeTopic: STOCK_CHANGED,
    consumers: [orderCreatedConsumer, orderCancelledConsumer],
    schema: new URL('../schema.graphql', import.meta.url),
    resolvers,
    entities,
    start: async (service, started) => {
      const parts = {
        ...started,
        decisionById: createDecisionLoader(started.database),
        snapshotAgeMs: service.settings.SNAPSHOT_DAYS * DAY_MS,
      };
      const contextOf = (identity: Identity, traceparent?: string) =>
        createContext(parts, identity, traceparent);
      await serveStockRest(service, contextOf);
      return { createContext: contextOf };
    },
  });
}
