import { useState } from 'react';
import { useLive } from '../live-context.tsx';
import { ADJUST_STOCK } from '../operations.ts';
import type { StockState } from '../stocks/stock-store.ts';
import { FormResult } from './form-result.tsx';
import { ProductField } from './product-field.tsx';
import { useMutation } from './mutation.tsx';

const UNANSWERED =
  'No answer: it is not known whether the stock was changed. Look at its quantity before you press again.';
const number = new Intl.NumberFormat();

export function AdjustForm({
  productId,
  onProduct,
}: {
  productId: string;
  onProduct: (id: string) => void;
}) {
  const { changed } = useLive();
  const { busy, problem, send } = useMutation<{ adjustStock: StockState }>(
    ADJUST_STOCK,
    UNANSWERED,
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
    changed(answer.adjustStock);
    const { name, quantity } = answer.adjustStock;
    setDone(`Done: ${name} now ${number.format(quantity)}.`);
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
      <p className="hint soft">Above 0 adds, below 0 takes. Safe beside running orders.</p>
      <button type="submit" className="secondary" aria-busy={busy} disabled={busy}>
        Adjust
      </button>
      <FormResult tone={problem ? 'bad' : 'ok'} text={problem || done} />
    </form>
  );
}
