import { memo } from 'react';
import { useLive, useSignal, useStock } from '../live-context.tsx';
import type { ShownOrder } from './order-store.ts';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const number = new Intl.NumberFormat();

const STATUS = { PENDING: 'Pending', CONFIRMED: 'Confirmed', REJECTED: 'Rejected' } as const;
const REASON = { OUT_OF_STOCK: 'not enough in stock', UNKNOWN_PRODUCT: 'no such product' } as const;

/** Shows the newest orders that the caller may see, with their status. */
export function OrderList() {
  const { orders } = useLive();
  const newest = useSignal(orders.newest);
  return (
    <section className="orders sheet" aria-labelledby="orders-title">
      <header>
        <h2 id="orders-title">Newest orders</h2>
      </header>
      {newest.length === 0 ? (
        <p className="empty soft">No orders yet.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users must be able to scroll
        <section className="scroller" tabIndex={0} aria-label="All newest orders">
          <ol>
            {newest.map((order) => (
              <OrderRow key={order.id} order={order} />
            ))}
          </ol>
        </section>
      )}
    </section>
  );
}

const OrderRow = memo(function OrderRow({ order }: { order: ShownOrder }) {
  const { id, productId, quantity, status, rejectionReason, createdAt, isOwn } = order;
  const name = useStock(productId, (stock) => stock?.name ?? productId);
  return (
    <li data-order={id} data-status={status}>
      <span className="status">{STATUS[status]}</span>
      <span className="what">
        <span className="number">{number.format(quantity)}</span> × {name}
        {rejectionReason && <em>{REASON[rejectionReason]}</em>}
      </span>
      {isOwn && <span className="own">yours</span>}
      <time className="soft number" dateTime={new Date(createdAt).toISOString()}>
        {clock.format(createdAt)}
      </time>
    </li>
  );
});
