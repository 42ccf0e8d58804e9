import { useRef, useState } from 'react';
import { useLive, useSignal } from '../live-context.tsx';
import { CREATE_ORDER, type OrderData } from '../operations.ts';
import { stateOf } from '../orders/follow-orders.ts';
import { outcomeOf } from '../orders/own-orders.ts';
import { FormResult, useMutation } from './mutation.tsx';
import { ProductField } from './product-field.tsx';

const NO_ANSWER =
  'No answer: the order may or may not have been accepted. Press again: the same order is accepted only once.';
const TONE = { PENDING: 'waiting', CONFIRMED: 'ok', REJECTED: 'bad', CANCELLED: 'bad' } as const;

export function OrderForm({
  productId,
  onProduct,
}: {
  productId: string;
  onProduct: (id: string) => void;
}) {
  const { stocks, orderPlaced, ownOrder } = useLive();
  const { isBusy, problem, send } = useMutation<{ createOrder: OrderData }>(
    CREATE_ORDER,
    NO_ANSWER,
  );
  const [quantity, setQuantity] = useState('1');
  /**
   * The last input and its idempotency key. If the button is pressed again before the gateway has
   * answered, the same order is repeated with the same key.
   */
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
    orderPlaced(stateOf(answer.createOrder), sentAt);
  };

  const stock = own && stocks.get(own.order.productId);
  const outcome = own ? outcomeOf(own, stock?.name ?? own.order.productId, stock?.quantity) : '';
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
      <button type="submit" aria-busy={isBusy} disabled={isBusy}>
        Place order
      </button>
      <FormResult
        tone={problem ? 'bad' : own ? TONE[own.order.status] : 'waiting'}
        text={problem || `${outcome}${took}`}
      />
    </form>
  );
}

/** Returns 128 random bits as hex. `crypto.randomUUID` does not exist on pages loaded over plain HTTP. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
