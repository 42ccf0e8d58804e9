import { unavailableServices } from '../graph/graph-errors.ts';
import { AT_FIRST, type Connection } from './connection/connection.ts';
import { createLastingClient } from './connection/reconnecting-client.ts';
import { afterPaint, onNextFrame } from './frames.ts';
import { STOCK_CHANGED, type StockChangedData } from './operations.ts';
import { followOrders } from './orders/follow-orders.ts';
import { createOrderStore, type OrderState, type OrderStore } from './orders/order-store.ts';
import type { OwnOrder } from './orders/own-orders.ts';
import { createUnnamedOrders } from './orders/unattributed-orders.ts';
import { createSignal, type Signal } from '../signal.ts';
import { createSpeedMeter, type Speed } from './speed-meter.ts';
import { addChange, emptyBatch } from './stocks/change-batch.ts';
import { loadStocks } from './stocks/follow-stocks.ts';
import { createStockStore, type StockState, type StockStore } from './stocks/stock-store.ts';

/** What the page shows, outside React, kept up to date for as long as the page is open. */
export interface LiveSession {
  readonly stocks: StockStore;
  readonly orders: OrderStore;
  readonly connection: Signal<Connection>;
  readonly speed: Signal<Speed>;
  readonly ownOrder: Signal<OwnOrder | undefined>;
  /** The stocks that moved on the screen last. */
  readonly moved: Signal<readonly string[]>;
  /** Shows an order that this page has made and follows it. @param sentAt by performance.now() */
  readonly ordered: (order: OrderState, sentAt: number) => void;
  /** Shows what a mutation of this page has answered, without waiting for its change. */
  readonly changed: (stock: StockState) => void;
}

/** Orders shown this often, in ms: a list that moves faster cannot be read. */
const ORDERS_EVERY_MS = 250;
/** How long after a connection came back changes count as missed, and how long that is told. */
const CATCH_UP_MS = 1_500;
/** How long the change of a confirmed order may take to be seen after its own stream tells. */
const CHANGE_WITHIN_MS = 1_000;
const CAUGHT_UP_SHOWN_MS = 8_000;

export function startLiveSession(): LiveSession {
  const stocks = createStockStore();
  const orders = createOrderStore();
  const connection = createSignal<Connection>(AT_FIRST);
  const ownOrder = createSignal<OwnOrder | undefined>(undefined);
  const moved = createSignal<readonly string[]>([]);
  const meter = createSpeedMeter();
  const unnamed = createUnnamedOrders();
  const sentAt = new Map<string, number>();
  let cursor: string | undefined;
  let batch = emptyBatch();
  let missed: Set<string> | undefined;
  let publishing = false;

  const update = (changes: Partial<Connection>): void => {
    connection.set({ ...connection.get(), ...changes });
  };
  const publishSoon = (): void => {
    if (publishing) return;
    publishing = true;
    setTimeout(() => {
      publishing = false;
      orders.publish();
    }, ORDERS_EVERY_MS);
  };

  /** An order of this page is settled and painted with all that it changed. */
  const settled = (order: OrderState): void => {
    const sent = sentAt.get(order.id);
    if (sent === undefined) return;
    sentAt.delete(order.id);
    ownOrder.set({ order });
    orders.publish();
    afterPaint(() => {
      const tookMs = performance.now() - sent;
      meter.sawOrder(tookMs);
      if (ownOrder.get()?.order.id === order.id) ownOrder.set({ order, tookMs });
    });
  };

  const flush = onNextFrame(() => {
    const { states, orders: confirmed, count, committedAt } = batch;
    batch = emptyBatch();
    const changes = stocks.apply(states.values(), true);
    for (const { id } of changes) missed?.add(id);
    if (changes.length > 0) moved.set(changes.map(({ id }) => id));
    for (const order of confirmed) {
      if (orders.get(order.id) || followed.ofEverybody()) {
        orders.apply([{ ...order, ...createdAtOf(order) }]);
      } else unnamed.add(order);
    }
    if (confirmed.length > 0) publishSoon();
    for (const order of confirmed) settled(order);
    if (count > 0) afterPaint(() => meter.sawChanges(count, Date.now() - committedAt));
  });
  /** A change tells when an order was decided; when it was made may be known already. */
  const createdAtOf = ({ id }: OrderState): Partial<OrderState> => {
    const known = orders.get(id);
    return known ? { createdAt: known.createdAt } : {};
  };

  const client = createLastingClient({
    onOpen: (again) => {
      update({ socket: 'open', since: Date.now() });
      followed.askNow();
      meter.leaveOut(CATCH_UP_MS);
      if (!again) return;
      const ids = new Set<string>();
      missed = ids;
      setTimeout(() => {
        missed = undefined;
        update({ caughtUp: ids.size });
        setTimeout(() => {
          const { caughtUp: _told, ...rest } = connection.get();
          connection.set(rest);
        }, CAUGHT_UP_SHOWN_MS);
      }, CATCH_UP_MS);
    },
    onLost: () => {
      if (connection.get().socket === 'open') update({ since: Date.now() });
      update({ socket: 'lost', unavailable: [] });
    },
    onRefused: (reason) => update({ socket: 'refused', reason, since: Date.now() }),
  });
  const followed = followOrders({
    client,
    orders,
    onState: (order) => {
      orders.apply([order]);
      publishSoon();
      if (!sentAt.has(order.id)) return;
      // A confirmed one is settled on the screen by its stock's change, unless a newer one stands for it.
      if (order.status === 'REJECTED') settled(order);
      else if (order.status === 'CONFIRMED') setTimeout(() => settled(order), CHANGE_WITHIN_MS);
    },
    onUnavailable: (unavailable) => {
      if (String(unavailable) !== String(connection.get().unavailable)) update({ unavailable });
    },
  });

  const followStocks = (from: string): void => {
    cursor = from;
    client.subscribe<StockChangedData>(
      STOCK_CHANGED,
      () => ({ after: cursor }),
      ({ stockChanged }) => {
        cursor = stockChanged.cursor;
        addChange(batch, stockChanged);
        flush();
      },
    );
  };
  void loadStocks(
    (page, from) => {
      stocks.apply(page, false);
      if (cursor === undefined) followStocks(from);
    },
    (errors) => update({ unavailable: unavailableServices(errors) }),
  ).then((isShop) => update(isShop ? { loaded: true } : { foreign: true }));

  return {
    stocks,
    orders,
    connection,
    speed: meter.speed,
    ownOrder,
    moved,
    ordered: (order, sent) => {
      orders.apply([order], true);
      // Its change may have been quicker than its answer.
      const early = unnamed.take(order.id);
      if (early) orders.apply([{ ...early, createdAt: order.createdAt }]);
      const known = orders.get(order.id) ?? order;
      sentAt.set(order.id, sent);
      ownOrder.set({ order: known });
      if (known.status === 'PENDING') followed.follow(order.id);
      else settled(known);
      orders.publish();
    },
    changed: (stock) => {
      if (stocks.apply([stock], true).length > 0) moved.set([stock.id]);
    },
  };
}
