import type { OrderState } from '@gudang/events';
import { demand, type Identity, type Service } from '@gudang/service';
import type { Page, TimePlace } from '@gudang/service/graphql';
import { fieldsOf, REST_LIST_LIMIT, type RestAnswer, serveRest } from '@gudang/service/rest';
import { causeIn, noteErrorTrace, startSpan, traceId } from '@gudang/service/tracing';
import type { Context } from '../context.ts';
import { findOrderPage } from '../orders/find-orders.ts';

const NAMES = {
  'input.productId': 'productid',
  'input.quantity': 'quantity',
  'input.idempotencyKey': 'Idempotency-Key',
};

const NEWEST: Page<TimePlace> = {
  size: REST_LIST_LIMIT,
  forward: true,
  after: undefined,
  before: undefined,
};

/** The orders as clients of the earlier system know them. */
export function serveOrderRest(
  service: Pick<Service, 'app' | 'auth' | 'log'>,
  createContext: (
    identity: Identity,
  ) => Pick<Context, 'database' | 'createOrder' | 'seen' | 'owner'>,
): Promise<void> {
  return serveRest(service, { prefix: '/order', names: NAMES }, (rest, identityOf) => {
    rest.get('/', async (request): Promise<RestAnswer> => {
      const identity = identityOf(request);
      demand(identity, {});
      const { database, seen } = createContext(identity);
      const orders = await findOrderPage(database, NEWEST, { seen });
      const shown = orders.slice(0, REST_LIST_LIMIT).map(show);
      return { Message: 'Berhasil Mendapatkan Data Order', Data: shown };
    });

    rest.post('/add-order', async (request, reply): Promise<RestAnswer> => {
      const identity = identityOf(request);
      demand(identity, { anyOf: [['order:write']] });
      const { createOrder, owner } = createContext(identity);
      const { body, headers } = request;
      const { productid, quantity } = fieldsOf(body);
      const { 'idempotency-key': idempotencyKey } = headers;
      // A span for the request: the order's trace begins with it, or goes on with the caller's.
      const parent = causeIn(headers['traceparent']);
      const span = startSpan('POST /order/add-order', { kind: 'server', parent });
      const input = { productId: productid, quantity, idempotencyKey };
      const traceparent = span?.traceparent ?? parent;
      const order = await createOrder(owner, input, traceparent).catch((error: Error) => {
        span?.end(error);
        noteErrorTrace(error, traceId(traceparent));
        throw error;
      });
      span?.end();
      reply.code(201);
      return { Message: 'Berhasil Menambahkan Data', Data: show(order) };
    });
  });
}

function show({ id, productId, quantity }: OrderState) {
  return { id, productid: productId, quantity };
}
