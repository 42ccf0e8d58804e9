import type { StockState } from '@gudang/events';
import { notFound, type Service } from '@gudang/service';
import { type Page, readArguments, type TimePlace } from '@gudang/service/graphql';
import { fieldsOf, REST_LIST_LIMIT, type RestAnswer, serveRest } from '@gudang/service/rest';
import { z } from 'zod';
import type { Context } from '../context.ts';
import { addStock, stockId } from '../stocks/add-stock.ts';
import { deleteStock, updateStock } from '../stocks/change-stock.ts';
import { findStockPage } from '../stocks/find-stocks.ts';
import { stored } from '../stored.ts';

const NAMES = { 'input.name': 'name', 'input.quantity': 'quantity' };

const NEWEST: Page<TimePlace> = {
  size: REST_LIST_LIMIT,
  forward: true,
  after: undefined,
  before: undefined,
};

const idArgument = z.object({ id: stockId });

interface OfStock {
  readonly Params: { readonly id: string };
}

/** The stocks as clients of the earlier system know them. */
export function serveStockRest(
  service: Pick<Service, 'app' | 'log'>,
  createContext: () => Pick<Context, 'database' | 'stockById' | 'stored'>,
): Promise<void> {
  return serveRest(service, { prefix: '/stock', names: NAMES }, (rest) => {
    rest.get('/', async (): Promise<RestAnswer> => {
      const stocks = await findStockPage(createContext().database, NEWEST, undefined);
      const shown = stocks.slice(0, REST_LIST_LIMIT).map(show);
      return { Message: 'Berhasil Mendapatkan Data Stock', Data: shown };
    });

    rest.get<OfStock>('/:id', async ({ params }): Promise<RestAnswer> => {
      const { id } = readArguments(idArgument, params);
      const stock = await createContext().stockById.load(id);
      if (!stock) throw notFound('stock', id);
      return { Message: 'Berhasil Mendapatkan Data Berdasarkan ID', Data: show(stock) };
    });

    rest.post('/add-stock', async ({ body }): Promise<RestAnswer> => {
      const context = createContext();
      const { name, quantity } = fieldsOf(body);
      const stock = await stored(context, addStock(context.database, { name, quantity }));
      return { Message: 'Berhasil Menambahkan Data', Data: show(stock) };
    });

    rest.put<OfStock>('/update/:id', async ({ params, body }): Promise<RestAnswer> => {
      const context = createContext();
      const { name, quantity } = fieldsOf(body);
      const change = { id: params.id, input: { name, quantity } };
      const stock = await stored(context, updateStock(context.database, change));
      return { Message: 'Berhasil Mengubah Data', Data: show(stock) };
    });

    rest.delete<OfStock>('/delete/:id', async ({ params }): Promise<RestAnswer> => {
      const context = createContext();
      await stored(context, deleteStock(context.database, { id: params.id }));
      return { Message: 'Berhasil Menghapus Data' };
    });
  });
}

function show({ id, name, quantity }: StockState) {
  return { id, name, quantity };
}
