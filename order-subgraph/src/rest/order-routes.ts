import { assertAuthorized, type Identity } from '@gudang/auth';
import type { OrderState } from '@gudang/events';
import type { KeysetCursor, Page } from '@gudang/subgraph';
import {
  fieldsOf,
  idempotencyKeyOf,
  REST_LIST_LIMIT,
  type RestAnswer,
  type RestService,
  serveRest,
} from '@gudang/subgraph';
import type { Context } from '../context.ts';
import { CANCEL_SCOPES } from '../orders/cancel-order.ts';
import { findOrderPage } from '../orders/find-orders.ts';

const NAMES = {
  'input.productId': 'productid',
  'input.quantity': 'quantity',
  'input.idempotencyKey': 'Idempotency-Key',
  idempotencyKey: 'Idempotency-Key',
};

const NEWEST: Page<KeysetCursor> = {
  size: REST_LIST_LIMIT,
  forward: true,
  after: undefined,
  before: undefined,
};

/** Serves the legacy REST API for orders. */
export function serveOrderRest(
  service: RestService,
  createContext: (
    identity: Identity,
  ) => Pick<Context, 'database' | 'createOrder' | 'cancelOrder' | 'visibility' | 'owner'>,
): Promise<void> {
  return serveRest(service, { prefix: '/order', names: NAMES }, (rest, contextOf) => {
    rest.get('/', async (request): Promise<RestAnswer> => {
      const { identity } = contextOf(request);
      assertAuthorized(identity, {});
      const { database, visibility } = createContext(identity);
      const orders = await findOrderPage(database, NEWEST, { visibility });
      const Data = orders.slice(0, REST_LIST_LIMIT).map(toRestOrder);
      return { Message: 'Berhasil Mendapatkan Data Order', Data };
    });

    rest.post('/add-order', async (request, reply): Promise<RestAnswer> => {
      const { identity, traceparent } = contextOf(request);
      assertAuthorized(identity, { anyOf: [['order:write']] });
      const { createOrder, owner } = createContext(identity);
      const { productid, quantity } = fieldsOf(request.body);
      const input = { productId: productid, quantity, idempotencyKey: idempotencyKeyOf(request) };
      const order = await createOrder(owner, input, traceparent);
      reply.code(201);
      return { Message: 'Berhasil Menambahkan Data', Data: toRestOrder(order) };
    });

    rest.post<{ Params: { id: string } }>('/cancel/:id', async (request): Promise<RestAnswer> => {
      const { identity, traceparent } = contextOf(request);
      assertAuthorized(identity, { anyOf: CANCEL_SCOPES });
      const { cancelOrder } = createContext(identity);
      const { id } = request.params;
      const { reason } = request.body === undefined ? {} : fieldsOf(request.body);
      const given = { id, reason, idempotencyKey: idempotencyKeyOf(request) };
      const order = await cancelOrder(identity, given, traceparent);
      const Data = { ...toRestOrder(order), status: order.status };
      return { Message: 'Berhasil Membatalkan Order', Data };
    });
  });
}

function toRestOrder({ id, productId, quantity }: OrderState) {
  return { id, productid: productId, quantity };
}
