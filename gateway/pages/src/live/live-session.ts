import type { LiveClient } from '@gudang/client';
import { createGraphClient } from '../graph/graph-client.ts';
import { createSignal, type Signal } from '../signal.ts';
import { checkServices } from './connection/check-services.ts';
import type { Connection } from './connection/connection.ts';
import { createConnectionState } from './connection/connection-state.ts';
import { startServiceWatch } from './connection/service-watch.ts';
import { afterPaint } from './frames.ts';
import { followOrders } from './orders/follow-orders.ts';
import { OrderDesk } from './orders/order-desk.ts';
import type { OrderState, OrderStore } from './orders/order-store.ts';
import type { OwnOrder } from './orders/own-orders.ts';
import { createSpeedMeter, type Speed } from './speed-meter.ts';
import { createChangeBatcher } from './stocks/change-batch.ts';
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

/** Starts the client, and keeps everything that the page shows up to date. */
export function startLiveSession(): LiveSession {
  const client = createGraphClient();
  const stocks = createStockStore();
  const moved = createSignal<readonly string[]>([]);
  const meter = createSpeedMeter();
  const orders = new OrderDesk(meter, () => watch.checkSoon());

  const showStocks = (states: Iterable<StockState>): void => {
    const changes = stocks.apply(states, true);
    if (changes.length > 0) moved.set(changes.map(({ id }) => id));
    state.countMissed(changes);
  };
  const batcher = createChangeBatcher(({ states, orders: decided, count, committedAt }) => {
    showStocks(states.values());
    orders.showDecisions(decided, followed.mayShowAll());
    const isMissed = state.isCatchingUp();
    if (count > 0) {
      afterPaint(() => meter.recordChanges(count, isMissed ? undefined : Date.now() - committedAt));
    }
    // The order service, Kafka and the stock service have taken part in a decision.
    if (!isMissed && decided.length > 0) watch.proveWell();
  });
  const state = createConnectionState(client, () => {
    batcher.flush();
    watch.checkSoon();
  });
  const watch = startServiceWatch({
    check: () => checkServices(client),
    onChecked: state.setServices,
  });
  const followed = followOrders({ client, orders: orders.store, onState: orders.show });
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
    orders: orders.store,
    connection: state.connection,
    speed: meter.speed,
    ownOrder: orders.latest,
    moved,
    checkServices: watch.checkSoon,
    orderPlaced: orders.placed,
    orderCancelled: orders.cancelled,
    stockChanged: (stock) => showStocks([stock]),
  };
}
