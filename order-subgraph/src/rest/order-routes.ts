import { assertAuthorized, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';
import type { KeysetCursor, Page, SubgraphService } from '@gudang/subgraph';
import { fieldsOf, REST_LIST_LIMIT, type RestAnswer, serveRest } from '@gudang/subgraph';
import type { Context } from '../context.ts';
import { findOrderPage } from '../orders/find-orders.ts';

const NAMES = {
  'input.productId': 'productid',
  'input.quantity': 'quantity',
  'input.idempotencyKey': 'Idempotency-Key',
};

const NEWEST: Page<KeysetCursor> = {
  size: REST_LIST_LIMIT,
  forward: true,
  after: undefined,
  before: undefined,
};

/** The orders as clients of the earlier system know them. */
export function serveOrderRest(
  service: Pick<SubgraphService, 'app' | 'auth' | 'isOutage' | 'log'>,
  createContext: (
    identity: Identity,
  ) => Pick<Context, 'database' | 'createOrder' | 'seen' | 'owner'>,
): Promise<void> {
  return serveRest(service, { prefix: '/order', names: NAMES }, (rest, callerOf) => {
    rest.get('/', async (request): Promise<RestAnswer> => {
      const { identity } = callerOf(request);
      assertAuthorized(identity, {});
      const { database, seen } = createContext(identity);
      const orders = await findOrderPage(database, NEWEST, { seen });
      const shown = orders.slice(0, REST_LIST_LIMIT).map(show);
      return { Message: 'Berhasil Mendapatkan Data Order', Data: shown };
    });

    rest.post('/add-order', async (request, reply): Promise<RestAnswer> => {
      const { identity, traceparent } = callerOf(request);
      assertAuthorized(identity, { anyOf: [['order:write']] });
      const { createOrder, owner } = createContext(identity);
      const { productid, quantity } = fieldsOf(request.body);
      const { 'idempotency-key': idempotencyKey } = request.headers;
      const input = { productId: productid, quantity, idempotencyKey };
      const order = await createOrder(owner, input, traceparent);
      reply.code(201);
      return { Message: 'Berhasil Menambahkan Data', Data: show(order) };
    });
  });
}

function show({ id, productId, quantity }: OrderState) {
  return { id, productid: productId, quantity };
}
