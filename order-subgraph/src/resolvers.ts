import { type Cursor, parseCursor as parseStreamCursor } from '@gudang/change-feed';
import type { OrderState, OrderStatus } from '@gudang/events';
import { PRODUCT_ID_LENGTH } from '@gudang/events';
import { badUserInput } from '@gudang/runtime';
import {
  DateTime,
  dateTime,
  type FindEntities,
  formatKeysetCursor,
  type KeysetCursor,
  parseArguments,
  parseKeysetCursor,
  parsePage,
  parseTogether,
  textOf,
  toConnection,
} from '@gudang/subgraph';
import * as z from 'zod';
import type { Context } from './context.ts';
import type { Resolvers } from './generated/graphql.ts';
import { findOrderPage, findOrders } from './orders/find-orders.ts';
import { isOwner } from './orders/order-visibility.ts';
import { currentCursor } from './stream/current-cursor.ts';
import { watchOrder } from './stream/order-stream.ts';
import { watchOrders } from './stream/orders-stream.ts';
import { createStoredOrders } from './stream/stored-orders.ts';
import { ORDER_STREAM } from './stream/watch-keys.ts';

const idArgument = z.object({ id: textOf({ min: 1, max: 100 }) });
const filterArguments = z.object({
  productId: textOf(PRODUCT_ID_LENGTH).nullish(),
  createdAfter: dateTime.nullish(),
  createdBefore: dateTime.nullish(),
});
const watchArguments = z.object({
  productId: textOf(PRODUCT_ID_LENGTH).nullish(),
  after: z.string().nullish(),
});
const cursorOf = (order: OrderState): string =>
  formatKeysetCursor('o:', { at: order.createdAt, id: order.id });
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

function parseCursor(cursor: string): KeysetCursor | undefined {
  const parsed = parseKeysetCursor('o:', cursor);
  return parsed && UUID.test(parsed.id) ? parsed : undefined;
}

function readAfter(after: string | null | undefined): Cursor | undefined {
  if (after == null) return undefined;
  const cursor = parseStreamCursor(after, ORDER_STREAM);
  if (cursor === undefined) throw badUserInput('after', 'a cursor of ordersChanged or orderCursor');
  return cursor;
}

/** Finds the entities of the gateway's requests. */
export const entities: Readonly<Record<string, FindEntities<Context>>> = {
  Order: (references, { database, visibility }) =>
    findOrders(
      database,
      references.map(({ id }) => id),
      visibility,
    ),
  Stock: (references) => references.map(({ id }) => ({ id })),
};

export const resolvers: Resolvers = {
  DateTime,

  Query: {
    order: async (_root, args, context) => {
      const { id } = parseArguments(idArgument, args);
      return (await context.orderById.load(id)) ?? null;
    },
    orders: async (_root, args, { database, visibility }) => {
      const { page, filter } = parseTogether({
        page: () => parsePage(args, parseCursor),
        filter: () => parseArguments(filterArguments, args),
      });
      const found = await findOrderPage(database, page, {
        visibility,
        productId: filter.productId ?? undefined,
        status: args.status ?? undefined,
        createdAfter: filter.createdAfter ?? undefined,
        createdBefore: filter.createdBefore ?? undefined,
      });
      return toConnection(page, found, cursorOf);
    },
    orderCursor: (_root, _args, { database, position }) => currentCursor(database, position),
  },

  Mutation: {
    createOrder: (_root, { input }, { createOrder, owner, traceparent }) =>
      createOrder(owner, input, traceparent),
    cancelOrder: (_root, args, { cancelOrder, identity, traceparent }) =>
      cancelOrder(identity, args, traceparent),
  },

  Subscription: {
    orderChanged: {
      subscribe: async function* (_root: unknown, args, context) {
        const { id } = parseArguments(idArgument, args);
        for await (const order of watchOrder(context, id)) yield { orderChanged: order };
      },
    },
    ordersChanged: {
      subscribe: async function* (_root: unknown, args, context) {
        const { productId, after } = parseArguments(watchArguments, args);
        const { changeFeed, database, snapshotAgeMs, visibility } = context;
        const changes = watchOrders({
          context,
          stored: createStoredOrders(database),
          changeFeed,
          watched: {
            visibility,
            productId: productId ?? undefined,
            status: args.status ?? undefined,
          },
          after: readAfter(after),
          maxAgeMs: snapshotAgeMs,
        });
        for await (const change of changes) yield { ordersChanged: change };
      },
    },
  },

  Order: {
    __resolveReference: async ({ id }, { orderById }) => (await orderById.load(id)) ?? null,
    stock: ({ productId }) => ({ id: productId }),
    cancelReason: ({ owner, cancelReason }, _args, { identity }) =>
      isOwner(identity, owner) ? cancelReason : null,
  },

  Stock: {
    __resolveReference: ({ id }) => ({ id }),
    orders: async ({ id }, args, { ordersOfProduct }) => {
      const page = parsePage(args, parseCursor);
      const status: OrderStatus | undefined = args.status ?? undefined;
      return toConnection(page, await ordersOfProduct(page, status).load(id), cursorOf);
    },
  },
};
