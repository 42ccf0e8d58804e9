import type { Identity } from '@gudang/auth';
import { decodeOrderChanged, ORDER_CHANGED, SHARED_TOPICS } from '@gudang/events';
import type { ProcessContext } from '@gudang/runtime';
import { startSubgraph } from '@gudang/subgraph';
import { createContext } from './context.ts';
import { openDatabase } from './database.ts';
import { orderDecidedConsumer } from './decisions/order-decided-consumer.ts';
import { cancelOrderHandler } from './orders/cancel-order.ts';
import { createOrderHandler } from './orders/create-order.ts';
import { startReconciler } from './reconcile/reconciler.ts';
import { entities, resolvers } from './resolvers.ts';
import { serveOrderRest } from './rest/order-routes.ts';
import type { settingsTable } from './settings.ts';
import { ORDER_STREAM, watchKeysOf } from './stream/watch-keys.ts';

const DAY_MS = 86_400_000;

/** Starts the order subgraph: the parts of `startSubgraph` and the parts that only this subgraph has. */
export function startOrderSubgraph(context: ProcessContext<typeof settingsTable>): Promise<void> {
  return startSubgraph(context, {
    databaseSetting: 'ORDER_DATABASE_URL',
    directDatabaseSetting: 'ORDER_DATABASE_DIRECT_URL',
    openDatabase,
    sharedTopics: SHARED_TOPICS,
    whileKafkaIsUnavailable: 'Orders are accepted meanwhile and settle when it returns',
    changeTopic: ORDER_CHANGED,
    feed: {
      stream: ORDER_STREAM,
      moreKeysOf: (value) => watchKeysOf(decodeOrderChanged(value).order),
    },
    consumers: [orderDecidedConsumer],
    schema: new URL('../schema.graphql', import.meta.url),
    resolvers,
    entities,
    start: async (service, { database, relay, changeFeed, notifyRelay }) => {
      const { settings } = service;
      const after = settings.RECONCILE_AFTER;
      service.started('reconciler', startReconciler(service, { database, relay, after }));
      const createOrder = createOrderHandler(database, notifyRelay, service.log);
      const cancelOrder = cancelOrderHandler({
        database,
        notifyRelay,
        within: settings.CANCEL_WITHIN,
        isEnabled: settings.CANCELLING === 'on',
      });
      const snapshotAgeMs = settings.SNAPSHOT_DAYS * DAY_MS;
      const parts = { database, changeFeed, createOrder, cancelOrder, snapshotAgeMs };
      const contextOf = (identity: Identity, traceparent?: string) =>
        createContext(parts, identity, traceparent);
      await serveOrderRest(service, contextOf);
      return { createContext: contextOf };
    },
  });
}
