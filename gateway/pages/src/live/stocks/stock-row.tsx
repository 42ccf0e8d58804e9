import { useStock } from '../live-context.tsx';
import { StockChart } from './stock-chart.tsx';

const number = new Intl.NumberFormat();
const signed = new Intl.NumberFormat(undefined, { signDisplay: 'always' });

/** Shows one stock; a change renders only this row again. */
export function StockRow({
  id,
  chosen,
  onChoose,
}: {
  id: string;
  chosen: boolean;
  onChoose: (id: string) => void;
}) {
  const stock = useStock(id, (stock) => stock);
  if (!stock) return null;
  const { name, quantity, delta, flash } = stock;
  return (
    <>
      <div className="stock-name">
        <button type="button" aria-pressed={chosen} onClick={() => onChoose(id)}>
          {name}
        </button>
        <span className="soft">{id}</span>
      </div>
      <div className="stock-chart">
        <StockChart id={id} />
      </div>
      <div className="stock-delta number" data-way={delta < 0 ? 'down' : 'up'}>
        {/* A new key restarts the animation. */}
        {flash > 0 && (
          <span key={flash}>{delta === 0 ? 'new' : signed.format(delta).replace('-', '−')}</span>
        )}
      </div>
      <div className="stock-quantity number" data-none={quantity === 0}>
        {number.format(quantity)}
      </div>
    </>
  );
}
