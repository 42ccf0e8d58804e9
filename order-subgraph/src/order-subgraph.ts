import type { Identity } from '@gudang/auth';
import { startFeed } from '@gudang/change-feed';
import { ORDER_CHANGED } from '@gudang/events';
import { startKafka, topicsOf } from '@gudang/kafka';
import { measureOutbox, startRelay } from '@gudang/outbox';
import { isOutage } from '@gudang/postgres';
import type { ProcessContext } from '@gudang/runtime';
import { serveSubgraph, startService } from '@gudang/subgraph';
import { createContext } from './context.ts';
import { startDatabase } from './database.ts';
import { startOrderDecidedConsumer } from './decisions/order-decided-consumer.ts';
import { createOrderHandler } from './orders/create-order.ts';
import { startReconciler } from './reconcile/reconciler.ts';
import { resolvers } from './resolvers.ts';
import { serveOrderRest } from './rest/order-routes.ts';
import { sdl } from './sdl.ts';
import type { settingsTable } from './settings.ts';

/** The subgraph's parts, in the order in which they start; they stop in the opposite one. */
export function startOrderSubgraph(
  processContext: ProcessContext<typeof settingsTable>,
): Promise<void> {
  return startService(processContext, isOutage, async (service) => {
    const { settings, started } = service;
    const databaseUrl = settings.ORDER_DATABASE_URL;
    const changeTopic = ORDER_CHANGED;

    const { client: database } = started('database', startDatabase(service));
    const kafka = started('kafka', startKafka(service, topicsOf(settings, changeTopic)));
    measureOutbox(service.metrics, database);
    const relay = started('relay', startRelay(service, { kafka, databaseUrl, changeTopic }));
    const feed = started('feed', startFeed(service, { kafka, database, topic: changeTopic }));

    const stored = relay.wake;
    started('order_decided', startOrderDecidedConsumer(service, { kafka, database, stored }));
    const after = settings.RECONCILE_AFTER;
    started('reconciler', startReconciler(service, { database, relay, after }));

    const createOrder = createOrderHandler(database, stored, service.log);
    const context = (identity?: Identity, traceparent?: string) =>
      createContext({ database, feed, createOrder }, identity, traceparent);
    await serveOrderRest(service, context);
    await serveSubgraph(service, { sdl, resolvers, createContext: context });
  });
}
