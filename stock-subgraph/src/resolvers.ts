import { type Cursor, formatCursor, parseCursor } from '@gudang/change-feed';
import { badUserInput } from '@gudang/runtime';
import {
  DateTime,
  type FindEntities,
  parseArguments,
  parsePage,
  parseTogether,
  textOf,
  toConnection,
} from '@gudang/subgraph';
import * as z from 'zod';
import type { Context } from './context.ts';
import { type ChangingOrder, decisionOf } from './decisions/find-decisions.ts';
import type { Resolvers } from './generated/graphql.ts';
import { addStock } from './stocks/add-stock.ts';
import { addStocks } from './stocks/add-stocks.ts';
import { adjustStock, deleteStock, updateStock } from './stocks/change-stock.ts';
import { adjustStocks, updateStocks } from './stocks/change-stocks.ts';
import { findStockPage } from './stocks/find-stock-page.ts';
import { findStocks } from './stocks/find-stocks.ts';
import type { MovementRow } from './stocks/ledger.ts';
import { stockId, stockQuantity } from './stocks/stock-arguments.ts';
import { formatStockCursor, parseStockPage } from './stocks/stock-cursors.ts';
import { type SentChange, watchStocks } from './stream/stock-stream.ts';
import { createStoredStocks } from './stream/stored-stocks.ts';

/** Maximum number of stock ids in the arguments of one subscription. */
const WATCHED_LIMIT = 1_000;

const idArgument = z.object({ id: stockId });
const filterArguments = z.object({
  search: textOf({ min: 1, max: 255 }).nullish(),
  quantityAtMost: stockQuantity.nullish(),
});
const watchArguments = z.object({
  ids: z
    .array(stockId)
    .min(1, `a list of 1 to ${WATCHED_LIMIT} ids`)
    .max(WATCHED_LIMIT, `a list of 1 to ${WATCHED_LIMIT} ids`)
    .nullish(),
  quantityAtMost: stockQuantity.nullish(),
});

const movementCursor = (movement: MovementRow): string =>
  Buffer.from(`m${movement.version}`).toString('base64url');

/** The maximum of PostgreSQL's type for versions. */
const MAX_VERSION = 2 ** 31 - 1;

function parseMovementCursor(cursor: string): number | undefined {
  const match = /^m(\d{1,10})$/.exec(Buffer.from(cursor, 'base64url').toString());
  const version = Number(match?.[1]);
  return version <= MAX_VERSION ? version : undefined;
}

function readCursor(after: string | null | undefined): Cursor | undefined {
  if (after == null) return undefined;
  const cursor = parseCursor(after);
  if (cursor === undefined) throw badUserInput('after', 'a cursor of stockChanged or stockCursor');
  return cursor;
}

function changingOrderOf({
  orderId,
  kind,
  at,
}: Pick<SentChange | MovementRow, 'orderId' | 'kind' | 'at'>): ChangingOrder | null {
  return orderId === null ? null : { id: orderId, at, isReturn: kind === 'RETURNED' };
}

/**
 * The order of a change. References resolve to null, because callers that cannot see the change must not
 * read the decision about the order by its id.
 */
const changingOrder: Resolvers['Order'] & { readonly __resolveReference: () => null } = {
  __resolveReference: () => null,
  status: async (order, _args, { decisionById }) => (await decisionOf(decisionById, order)).status,
  rejectionReason: async (order, _args, { decisionById }) =>
    (await decisionOf(decisionById, order)).rejectionReason,
  decidedAt: async (order, _args, { decisionById }) =>
    (await decisionOf(decisionById, order)).decidedAt,
  cancelledAt: async (order, _args, { decisionById }) =>
    (await decisionOf(decisionById, order)).cancelledAt,
};

/** Finds the entities of the gateway's requests. */
export const entities: Readonly<Record<string, FindEntities<Context>>> = {
  Stock: (references, { database }) =>
    findStocks(
      database,
      references.map(({ id }) => id),
    ),
};

export const resolvers: Resolvers = {
  DateTime,

  Query: {
    stock: async (_root, args, { stockById }) => {
      const { id } = parseArguments(idArgument, args);
      return (await stockById.load(id)) ?? null;
    },
    stocks: async (_root, args, { database }) => {
      const sort = args.sort ?? 'CREATED_DESC';
      const { sorted, filter } = parseTogether({
        sorted: () => parseStockPage(sort, args),
        filter: () => parseArguments(filterArguments, args),
      });
      const found = await findStockPage(database, sorted, filter);
      return toConnection(sorted.page, found, (stock) => formatStockCursor(sort, stock));
    },
    stockCursor: (_root, _args, { position }) => formatCursor(position),
  },

  Mutation: {
    addStock: (_root, { input, idempotencyKey }, context) =>
      addStock(context, input, idempotencyKey),
    updateStock: (_root, args, context) => updateStock(context, args),
    adjustStock: (_root, args, context) => adjustStock(context, args),
    deleteStock: (_root, args, context) => deleteStock(context, args),
    addStocks: async (_root, args, context) => [...(await addStocks(context, args))],
    updateStocks: async (_root, args, context) => [...(await updateStocks(context, args))],
    adjustStocks: async (_root, args, context) => [...(await adjustStocks(context, args))],
  },

  Subscription: {
    stockChanged: {
      subscribe: async function* (_root: unknown, args, context) {
        const { watched, after } = parseTogether({
          watched: () => parseArguments(watchArguments, args),
          after: () => readCursor(args.after),
        });
        const { ids, quantityAtMost } = watched;
        const { changeFeed, database, snapshotAgeMs } = context;
        const changes = watchStocks({
          context,
          stored: createStoredStocks(database),
          changeFeed,
          ids: ids ?? undefined,
          quantityAtMost: quantityAtMost ?? undefined,
          maxAgeMs: snapshotAgeMs,
          after,
        });
        for await (const change of changes) {
          yield { stockChanged: change };
        }
      },
    },
  },

  Stock: {
    __resolveReference: async ({ id }, { stockById }) => (await stockById.load(id)) ?? null,
    movements: async ({ id }, args, { movementsOf }) => {
      const page = parsePage(args, parseMovementCursor);
      return toConnection(page, await movementsOf(page).load(id), movementCursor);
    },
  },

  StockChange: {
    order: changingOrderOf,
  },

  Movement: {
    order: changingOrderOf,
  },

  Order: changingOrder,
};
