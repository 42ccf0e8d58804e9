import { memo } from 'react';
import { sessionToken } from '../../graph/session-token.ts';
import { useMutation } from '../forms/mutation.tsx';
import { useLive, useSignal, useStock } from '../live-context.tsx';
import { CANCEL_ORDER, type OrderData } from '../operations.ts';
import { stateOf } from './follow-orders.ts';
import type { ShownOrder } from './order-store.ts';

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const number = new Intl.NumberFormat();

const STATUS = {
  PENDING: 'Pending',
  CONFIRMED: 'Confirmed',
  REJECTED: 'Rejected',
  CANCELLED: 'Cancelled',
} as const;
const REASON = { OUT_OF_STOCK: 'not enough in stock', UNKNOWN_PRODUCT: 'no such product' } as const;

const NO_ANSWER = 'No answer: press again, it is cancelled only once.';

/** Shows the newest orders that the caller may see, with their status. */
export function OrderList() {
  const { orders } = useLive();
  const newest = useSignal(orders.newest);
  const { token, refusal, wanted } = useSignal(sessionToken);
  const mustSignIn = refusal !== undefined || (wanted && token === undefined);
  return (
    <section className="orders sheet" aria-labelledby="orders-title">
      <header>
        <h2 id="orders-title">Newest orders</h2>
      </header>
      {newest.length === 0 ? (
        <p className="empty soft">
          {mustSignIn ? 'Sign in to see your orders.' : 'No orders yet.'}
        </p>
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
  const { id, productId, quantity, status, rejectionReason, createdAt, isOwn, isCancelling } =
    order;
  const { orderCancelled } = useLive();
  const { isBusy, problem, send } = useMutation<{ cancelOrder: OrderData }>(
    CANCEL_ORDER,
    NO_ANSWER,
  );
  const name = useStock(productId, (stock) => stock?.name ?? productId);
  const canCancel = (status === 'PENDING' || status === 'CONFIRMED') && !isCancelling;
  const cancel = async (): Promise<void> => {
    const answer = await send({ id });
    if (answer) orderCancelled(stateOf(answer.cancelOrder));
  };
  return (
    <li data-order={id} data-status={status}>
      <span className="status">{isCancelling ? 'Cancelling' : STATUS[status]}</span>
      <span className="what">
        <span className="number">{number.format(quantity)}</span> × {name}
        {rejectionReason && <em>{REASON[rejectionReason]}</em>}
        {problem && <em role="status">{problem}</em>}
      </span>
      {isOwn && <span className="own">yours</span>}
      {canCancel && (
        <button
          type="button"
          className="cancel"
          aria-label={`Cancel the order of ${number.format(quantity)} × ${name}`}
          aria-busy={isBusy}
          disabled={isBusy}
          onClick={() => void cancel()}
        >
          Cancel
        </button>
      )}
      <time className="soft number" dateTime={new Date(createdAt).toISOString()}>
        {clock.format(createdAt)}
      </time>
    </li>
  );
});
