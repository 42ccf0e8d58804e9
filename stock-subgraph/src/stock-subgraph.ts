import type { Identity } from '@gudang/auth';
import { startFeed } from '@gudang/change-feed';
import { STOCK_CHANGED } from '@gudang/events';
import { startKafka, topicsOf } from '@gudang/kafka';
import { measureOutbox, startRelay } from '@gudang/outbox';
import { isOutage } from '@gudang/postgres';
import type { ProcessContext } from '@gudang/runtime';
import { serveSubgraph, startService } from '@gudang/subgraph';
import { createContext } from './context.ts';
import { startDatabase } from './database.ts';
import { startOrderCreatedConsumer } from './decisions/order-created-consumer.ts';
import { resolvers } from './resolvers.ts';
import { serveStockRest } from './rest/stock-routes.ts';
import { sdl } from './sdl.ts';
import type { settingsTable } from './settings.ts';

/** The subgraph's parts, in the order in which they start; they stop in the opposite one. */
export function startStockSubgraph(
  processContext: ProcessContext<typeof settingsTable>,
): Promise<void> {
  return startService(processContext, isOutage, async (service) => {
    const { settings, started } = service;
    const databaseUrl = settings.STOCK_DATABASE_URL;
    const changeTopic = STOCK_CHANGED;

    const { client: database } = started('database', startDatabase(service));
    const kafka = started('kafka', startKafka(service, topicsOf(settings, changeTopic)));
    measureOutbox(service.metrics, database);
    const relay = started('relay', startRelay(service, { kafka, databaseUrl, changeTopic }));
    const feed = started('feed', startFeed(service, { kafka, database, topic: changeTopic }));

    const stored = relay.wake;
    started('order_created', startOrderCreatedConsumer(service, { kafka, database, stored }));

    const context = (identity?: Identity, traceparent?: string) =>
      createContext({ database, feed, stored }, identity, traceparent);
    await serveStockRest(service, context);
    await serveSubgraph(service, { sdl, resolvers, createContext: context });
  });
}
