import { useState } from 'react';
import { useLive } from '../live-context.tsx';
import { ADJUST_STOCK } from '../operations.ts';
import type { StockState } from '../stocks/stock-store.ts';
import { FormResult, useMutation } from './mutation.tsx';
import { ProductField } from './product-field.tsx';

const NO_ANSWER =
  'No answer: the stock may or may not have been changed. Check its quantity before you press again.';
const number = new Intl.NumberFormat();

export function AdjustForm({
  productId,
  onProduct,
}: {
  productId: string;
  onProduct: (id: string) => void;
}) {
  const { stockChanged } = useLive();
  const { isBusy, problem, send } = useMutation<{ adjustStock: StockState }>(
    ADJUST_STOCK,
    NO_ANSWER,
  );
  const [done, setDone] = useState('');

  const submit = async (form: HTMLFormElement): Promise<void> => {
    setDone('');
    const fields = new FormData(form);
    const reason = String(fields.get('reason')).trim();
    const answer = await send({
      id: productId.trim(),
      delta: Number(fields.get('delta')),
      ...(reason ? { reason } : {}),
    });
    if (!answer) return;
    stockChanged(answer.adjustStock);
    const { name, quantity } = answer.adjustStock;
    setDone(`Done: ${name} has ${number.format(quantity)} now.`);
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <div className="fields">
        <ProductField value={productId} onChange={onProduct} />
        <label className="small">
          Change
          <input name="delta" type="number" required defaultValue={10} step={1} />
        </label>
      </div>
      <label>
        Reason <span className="soft">(optional)</span>
        <input name="reason" maxLength={255} placeholder="Delivery, count, breakage…" />
      </label>
      <p className="hint soft">
        A positive number adds, a negative one removes. Safe while orders are placed.
      </p>
      <button type="submit" className="secondary" aria-busy={isBusy} disabled={isBusy}>
        Adjust
      </button>
      <FormResult tone={problem ? 'bad' : 'ok'} text={problem || done} />
    </form>
  );
}
