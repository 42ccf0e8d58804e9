import { useDeferredValue, useId, useMemo } from 'react';
import { useLive, useSignal } from '../live-context.tsx';

/** Maximum number of suggestions. Browsers are slow to open a list of thousands. */
const MAX_SUGGESTIONS = 12;

/** Input for the id of a stock. Suggests matching stocks and accepts any other id. */
export function ProductField({
  value,
  onChange,
}: {
  value: string;
  onChange: (id: string) => void;
}) {
  const { stocks } = useLive();
  const ids = useSignal(stocks.ids);
  const text = useDeferredValue(value).toLocaleLowerCase();
  const list = useId();
  const suggested = useMemo(() => {
    const fits = (part: string): boolean => part.toLocaleLowerCase().includes(text);
    const found: string[] = [];
    for (const id of ids) {
      if (fits(id) || fits(stocks.get(id)?.name ?? '')) found.push(id);
      if (found.length === MAX_SUGGESTIONS) break;
    }
    return found;
  }, [ids, text, stocks]);
  return (
    <label>
      Product
      <input
        name="productId"
        list={list}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        required
        maxLength={100}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder="Choose a stock, or type its id"
      />
      <datalist id={list}>
        {suggested.map((id) => (
          <option key={id} value={id}>
            {stocks.get(id)?.name}
          </option>
        ))}
      </datalist>
    </label>
  );
}
