import { assertAuthorized, type Identity, type Requirement } from '@gudang/auth';
import type { StockState } from '@gudang/events';
import { notFound } from '@gudang/runtime';
import {
  fieldsOf,
  idempotencyKey,
  idempotencyKeyOf,
  parseArguments,
  REST_LIST_LIMIT,
  type RequestContextOf,
  type RestAnswer,
  type RestService,
  serveRest,
} from '@gudang/subgraph';
import * as z from 'zod';
import type { Context } from '../context.ts';
import { addStock } from '../stocks/add-stock.ts';
import { deleteStock, updateStock } from '../stocks/change-stock.ts';
import { findStockPage } from '../stocks/find-stock-page.ts';
import { stockId, stockName, stockQuantity } from '../stocks/stock-arguments.ts';
import type { StockPage } from '../stocks/stock-cursors.ts';

const NAMES = {
  'input.name': 'name',
  'input.quantity': 'quantity',
  idempotencyKey: 'Idempotency-Key',
};

const NEWEST: StockPage = {
  sort: 'CREATED_DESC',
  page: { size: REST_LIST_LIMIT, forward: true, after: undefined, before: undefined },
};

const WRITE_ACCESS: Requirement = { anyOf: [['stock:write']] };

const idArgument = z.object({ id: stockId });
/** Unlike updateStock, the route requires both fields, as the legacy system did. */
const updateArguments = z.object({
  id: stockId,
  input: z.object({ name: stockName, quantity: stockQuantity }),
  idempotencyKey,
});

type Request = Parameters<RequestContextOf>[0];

interface StockRoute {
  readonly Params: { readonly id: string };
}

/** Serves the legacy REST API for stocks. */
export function serveStockRest(
  service: RestService,
  createContext: (
    identity: Identity,
    traceparent?: string,
  ) => Pick<Context, 'database' | 'identity' | 'stockById' | 'notifyRelay' | 'traceparent'>,
): Promise<void> {
  return serveRest(service, { prefix: '/stock', names: NAMES }, (rest, contextOf) => {
    const readContext = (request: Request) => createContext(contextOf(request).identity);
    const writeContext: typeof readContext = (request) => {
      const { identity, traceparent } = contextOf(request);
      assertAuthorized(identity, WRITE_ACCESS);
      return createContext(identity, traceparent);
    };

    rest.get('/', async (request): Promise<RestAnswer> => {
      const stocks = await findStockPage(readContext(request).database, NEWEST, {});
      const Data = stocks.slice(0, REST_LIST_LIMIT).map(toRestStock);
      return { Message: 'Berhasil Mendapatkan Data Stock', Data };
    });

    rest.get<StockRoute>('/:id', async (request): Promise<RestAnswer> => {
      const { id } = parseArguments(idArgument, request.params);
      const stock = await readContext(request).stockById.load(id);
      if (!stock) throw notFound('stock', id);
      return { Message: 'Berhasil Mendapatkan Data Berdasarkan ID', Data: toRestStock(stock) };
    });

    rest.post('/add-stock', async (request): Promise<RestAnswer> => {
      const context = writeContext(request);
      const { name, quantity } = fieldsOf(request.body);
      const stock = await addStock(context, { name, quantity }, idempotencyKeyOf(request));
      return { Message: 'Berhasil Menambahkan Data', Data: toRestStock(stock) };
    });

    rest.put<StockRoute>('/update/:id', async (request): Promise<RestAnswer> => {
      const context = writeContext(request);
      const { name, quantity } = fieldsOf(request.body);
      const change = {
        id: request.params.id,
        input: { name, quantity },
        idempotencyKey: idempotencyKeyOf(request),
      };
      const stock = await updateStock(context, parseArguments(updateArguments, change));
      return { Message: 'Berhasil Mengubah Data', Data: toRestStock(stock) };
    });

    rest.delete<StockRoute>('/delete/:id', async (request): Promise<RestAnswer> => {
      const context = writeContext(request);
      await deleteStock(context, {
        id: request.params.id,
        idempotencyKey: idempotencyKeyOf(request),
      });
      return { Message: 'Berhasil Menghapus Data' };
    });
  });
}

function toRestStock({ id, name, quantity }: StockState) {
  return { id, name, quantity };
}
