import { useState } from 'react';
import { useLive } from '../live-context.tsx';
import { ADD_STOCK } from '../operations.ts';
import type { StockState } from '../stocks/stock-store.ts';
import { FormResult, useMutation } from './mutation.tsx';

const NO_ANSWER =
  'No answer: the stock may or may not have been added. Check the list before you press again.';

export function AddForm({ onAdded }: { onAdded: (id: string) => void }) {
  const { stockChanged } = useLive();
  const { isBusy, problem, send } = useMutation<{ addStock: StockState }>(ADD_STOCK, NO_ANSWER);
  const [done, setDone] = useState('');

  const submit = async (form: HTMLFormElement): Promise<void> => {
    setDone('');
    const fields = new FormData(form);
    const id = String(fields.get('id')).trim();
    const input = {
      name: String(fields.get('name')).trim(),
      quantity: Number(fields.get('quantity')),
      ...(id ? { id } : {}),
    };
    const answer = await send({ input });
    if (!answer) return;
    stockChanged(answer.addStock);
    onAdded(answer.addStock.id);
    form.reset();
    setDone(`Added: ${answer.addStock.name}.`);
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <div className="fields">
        <label>
          Name
          <input name="name" required maxLength={255} placeholder="Kopi Kintamani 250 g" />
        </label>
        <label className="small">
          Quantity
          <input
            name="quantity"
            type="number"
            inputMode="numeric"
            min={0}
            max={2_147_483_647}
            required
            defaultValue={100}
          />
        </label>
      </div>
      <label>
        Id <span className="soft">(optional, such as your SKU)</span>
        <input name="id" maxLength={100} autoCapitalize="off" spellCheck={false} />
      </label>
      <button type="submit" className="secondary" aria-busy={isBusy} disabled={isBusy}>
        Add stock
      </button>
      <FormResult tone={problem ? 'bad' : 'ok'} text={problem || done} />
    </form>
  );
}
