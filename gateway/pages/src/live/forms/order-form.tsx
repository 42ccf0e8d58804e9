import { useRef, useState } from 'react';
import { useLive } from '../live-context.tsx';
import { CREATE_ORDER, type OrderData } from '../operations.ts';
import { stateOf } from '../orders/follow-orders.ts';
import { outcomeOf } from '../orders/own-orders.ts';
import { useSignal } from '../use-signal.ts';
import { FormResult } from './form-result.tsx';
import { ProductField } from './product-field.tsx';
import { randomKey } from './random-key.ts';
import { useMutation } from './mutation.tsx';

const UNANSWERED =
  'No answer: it is not known whether the order was taken. Press again: the same order is not taken twice.';
const TONE = { PENDING: 'waiting', CONFIRMED: 'ok', REJECTED: 'bad' } as const;

export function OrderForm({
  productId,
  onProduct,
}: {
  productId: string;
  onProduct: (id: string) => void;
}) {
  const { stocks, ordered, ownOrder } = useLive();
  const { busy, problem, send } = useMutation<{ createOrder: OrderData }>(CREATE_ORDER, UNANSWERED);
  const [quantity, setQuantity] = useState('1');
  /** What is asked for, and its key until it is answered: pressing again repeats the very order. */
  const attempt = useRef({ input: '', key: '' });
  const own = useSignal(ownOrder);

  const submit = async (): Promise<void> => {
    const sentAt = performance.now();
    const input = { productId: productId.trim(), quantity: Number(quantity) };
    const text = JSON.stringify(input);
    if (attempt.current.input !== text) attempt.current = { input: text, key: randomKey() };
    const answer = await send({ input: { ...input, idempotencyKey: attempt.current.key } });
    if (!answer) return;
    attempt.current = { input: '', key: '' };
    ordered(stateOf(answer.createOrder), sentAt);
  };

  const stock = own && stocks.get(own.order.productId);
  const outcome = own
    ? outcomeOf(own.order, stock?.name ?? own.order.productId, stock?.quantity)
    : '';
  const took = own?.tookMs === undefined ? '' : ` On screen after ${Math.round(own.tookMs)} ms.`;
  return (
    <form
      id="order-form"
      aria-labelledby="order-title"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="order-title">Order</h2>
      <div className="fields">
        <ProductField value={productId} onChange={onProduct} />
        <label className="small">
          Quantity
          <input
            name="quantity"
            type="number"
            inputMode="numeric"
            min={1}
            max={1_000_000}
            required
            value={quantity}
            onChange={(event) => setQuantity(event.target.value)}
          />
        </label>
      </div>
      <button type="submit" aria-busy={busy} disabled={busy}>
        Place order
      </button>
      <FormResult
        tone={problem ? 'bad' : own ? TONE[own.order.status] : 'waiting'}
        text={problem || `${outcome}${took}`}
      />
    </form>
  );
}
