import { assertAuthorized, type Identity, type Requirement } from '@gudang/auth';
import type { StockState } from '@gudang/events';
import { notFound } from '@gudang/runtime';
import type { SubgraphService } from '@gudang/subgraph';
import {
  type CallerOf,
  fieldsOf,
  type KeysetCursor,
  type Page,
  parseArguments,
  REST_LIST_LIMIT,
  type RestAnswer,
  serveRest,
} from '@gudang/subgraph';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { addStock, stockId } from '../stocks/add-stock.ts';
import { deleteStock, updateStock } from '../stocks/change-stock.ts';
import { findStockPage } from '../stocks/find-stocks.ts';
import { stored } from '../stored.ts';

const NAMES = { 'input.name': 'name', 'input.quantity': 'quantity' };

const NEWEST: Page<KeysetCursor> = {
  size: REST_LIST_LIMIT,
  forward: true,
  after: undefined,
  before: undefined,
};

const TO_WRITE: Requirement = { anyOf: [['stock:write']] };

const idArgument = z.object({ id: stockId });

interface OfStock {
  readonly Params: { readonly id: string };
}

/** The stocks as clients of the earlier system know them. */
export function serveStockRest(
  service: Pick<SubgraphService, 'app' | 'auth' | 'isOutage' | 'log'>,
  createContext: (
    identity: Identity,
    traceparent?: string,
  ) => Pick<Context, 'database' | 'stockById' | 'stored' | 'traceparent'>,
): Promise<void> {
  return serveRest(service, { prefix: '/stock', names: NAMES }, (rest, callerOf) => {
    const readers = (request: Parameters<CallerOf>[0]) => createContext(callerOf(request).identity);
    const writers: typeof readers = (request) => {
      const { identity, traceparent } = callerOf(request);
      assertAuthorized(identity, TO_WRITE);
      return createContext(identity, traceparent);
    };

    rest.get('/', async (request): Promise<RestAnswer> => {
      const stocks = await findStockPage(readers(request).database, NEWEST, undefined);
      const shown = stocks.slice(0, REST_LIST_LIMIT).map(show);
      return { Message: 'Berhasil Mendapatkan Data Stock', Data: shown };
    });

    rest.get<OfStock>('/:id', async (request): Promise<RestAnswer> => {
      const { id } = parseArguments(idArgument, request.params);
      const stock = await readers(request).stockById.load(id);
      if (!stock) throw notFound('stock', id);
      return { Message: 'Berhasil Mendapatkan Data Berdasarkan ID', Data: show(stock) };
    });

    rest.post('/add-stock', async (request): Promise<RestAnswer> => {
      const context = writers(request);
      const { name, quantity } = fieldsOf(request.body);
      const stock = await stored(context, addStock(context, { name, quantity }));
      return { Message: 'Berhasil Menambahkan Data', Data: show(stock) };
    });

    rest.put<OfStock>('/update/:id', async (request): Promise<RestAnswer> => {
      const context = writers(request);
      const { name, quantity } = fieldsOf(request.body);
      const change = { id: request.params.id, input: { name, quantity } };
      const stock = await stored(context, updateStock(context, change));
      return { Message: 'Berhasil Mengubah Data', Data: show(stock) };
    });

    rest.delete<OfStock>('/delete/:id', async (request): Promise<RestAnswer> => {
      const context = writers(request);
      await stored(context, deleteStock(context, { id: request.params.id }));
      return { Message: 'Berhasil Menghapus Data' };
    });
  });
}

function show({ id, name, quantity }: StockState) {
  return { id, name, quantity };
}
