import type { LiveClient } from '@gudang/client';
import { createGraphClient } from '../graph/graph-client.ts';
import { createSignal, type Signal } from '../signal.ts';
import { checkServices } from './connection/check-services.ts';
import type { Connection } from './connection/connection.ts';
import { createConnectionState } from './connection/connection-state.ts';
import { startServiceWatch } from './connection/service-watch.ts';
import { afterPaint, throttled } from './frames.ts';
import { followOrders } from './orders/follow-orders.ts';
import { createOrderStore, type OrderState, type OrderStore } from './orders/order-store.ts';
import { createOwnOrders, type OwnOrder } from './orders/own-orders.ts';
import { createUnattributedOrders } from './orders/unattributed-orders.ts';
import { createSpeedMeter, type Speed } from './speed-meter.ts';
import { type ChangeBatch, createChangeBatcher } from './stocks/change-batch.ts';
import { followStocks } from './stocks/follow-stocks.ts';
import { createStockStore, type StockState, type StockStore } from './stocks/stock-store.ts';

/**
 * State of everything that the page shows. The state is outside React and is kept up to date as
 * long as the page is open.
 */
export interface LiveSession {
  readonly client: LiveClient;
  readonly stocks: StockStore;
  readonly orders: OrderStore;
  readonly connection: Signal<Connection>;
  readonly speed: Signal<Speed>;
  /** The last order that this page placed. */
  readonly ownOrder: Signal<OwnOrder | undefined>;
  /** Ids of the stocks that changed visibly in the newest batch of changes. */
  readonly moved: Signal<readonly string[]>;
  /** Shows an order that this page placed. @param sentAt by performance.now() */
  readonly orderPlaced: (order: OrderState, sentAt: number) => void;
  /** Shows the order in the answer of its cancellation. */
  readonly orderCancelled: (order: OrderState) => void;
  /** Shows the stock in the answer of a mutation, without waiting for its change event. */
  readonly stockChanged: (stock: StockState) => void;
  /** Finds out soon which services are unavailable, after an operation has failed. */
  readonly checkServices: () => void;
}

/** Returns a known order with the decision that a stock change shows. */
function afterDecision(known: OrderState, { status }: OrderState): OrderState {
  const isCancelling = known.isCancelling && status !== 'CANCELLED';
  return { ...known, status, isCancelling, version: 0 };
}

/**
 * Minimum interval between updates of the order list, in ms. Users could not read a list that
 * changes faster.
 */
const ORDERS_EVERY_MS = 250;
/** Time for which the page waits for the stock change of a confirmed order, in ms. */
const CHANGE_WITHIN_MS = 1_000;
/** Time after which the decision about an order is late, in ms. */
const DECIDED_WITHIN_MS = 2_000;
/** Interval between checks of the services while an own order waits for its decision, in ms. */
const CHECK_LATE_MS = 5_000;

export function startLiveSession(): LiveSession {
  const client = createGraphClient();
  const stocks = createStockStore();
  const orders = createOrderStore();
  const moved = createSignal<readonly string[]>([]);
  const meter = createSpeedMeter();
  const unattributed = createUnattributedOrders();
  const ownOrders = createOwnOrders(orders, meter);
  const publishOrders = throttled(orders.publish, ORDERS_EVERY_MS);

  const showChanges = ({ states, orders: decided, count, committedAt }: ChangeBatch): void => {
    const changes = stocks.apply(states.values(), true);
    state.countMissed(changes);
    if (changes.length > 0) moved.set(changes.map(({ id }) => id));
    for (const order of decided) {
      const known = orders.get(order.id);
      // The order in a stock change has the time of the decision. The list shows the time of
      // creation, so the known time is kept.
      if (known) orders.apply([afterDecision(known, order)]);
      else if (followedOrders.mayShowAll()) orders.apply([order]);
      else unattributed.add(order);
    }
    if (decided.length > 0) publishOrders();
    for (const order of decided) ownOrders.settle(order);
    const isMissed = state.isCatchingUp();
    if (count > 0) {
      afterPaint(() => meter.recordChanges(count, isMissed ? undefined : Date.now() - committedAt));
    }
    // The order service, Kafka and the stock service have taken part in a decision.
    if (!isMissed && decided.length > 0) watch.proveWell();
  };
  const batcher = createChangeBatcher(showChanges);
  const state = createConnectionState(client, () => {
    batcher.flush();
    watch.checkSoon();
  });
  const watch = startServiceWatch({
    check: () => checkServices(client),
    onChecked: state.setServices,
  });

  const checkLate = (id: string): void => {
    if (!ownOrders.noteLate(id)) return;
    watch.checkSoon();
    setTimeout(() => checkLate(id), CHECK_LATE_MS);
  };

  const followedOrders = followOrders({
    client,
    orders,
    onState: (order) => {
      orders.apply([order]);
      publishOrders();
      if (order.status === 'CANCELLED') ownOrders.settle(order);
      if (!ownOrders.isPending(order.id)) return;
      // The form shows a confirmed order as settled when the order's stock change arrives. The page
      // waits only for a limited time, because the stream may have replaced that change by a newer
      // one.
      if (order.status === 'REJECTED') ownOrders.settle(order);
      else if (order.status === 'CONFIRMED') {
        setTimeout(() => ownOrders.settle(order), CHANGE_WITHIN_MS);
      }
    },
  });

  void followStocks({
    client,
    onPage: (page) => void stocks.apply(page, false),
    onChange: batcher.add,
    onMarker: ({ phase, reset, complete }) => {
      batcher.flush();
      if (phase === 'begin') stocks.beginSnapshot(reset);
      else stocks.endSnapshot(complete);
    },
    onErrors: watch.checkSoon,
  }).then(state.setLoaded);

  return {
    client,
    stocks,
    orders,
    connection: state.connection,
    speed: meter.speed,
    ownOrder: ownOrders.latest,
    moved,
    checkServices: watch.checkSoon,
    orderPlaced: (order, sentAt) => {
      orders.apply([order], true);
      // The order's stock change may have arrived before the answer.
      const confirmed = unattributed.take(order.id);
      if (confirmed) orders.apply([{ ...confirmed, createdAt: order.createdAt }]);
      const current = orders.get(order.id) ?? order;
      ownOrders.track(current, sentAt);
      if (current.status !== 'PENDING') ownOrders.settle(current);
      orders.publish();
      setTimeout(() => checkLate(order.id), DECIDED_WITHIN_MS);
    },
    orderCancelled: (order) => {
      orders.apply([order]);
      orders.publish();
    },
    stockChanged: (stock) => {
      if (stocks.apply([stock], true).length > 0) moved.set([stock.id]);
    },
  };
}
