import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useLive, useSignal } from '../live-context.tsx';
import { StockRow } from './stock-row.tsx';

const ROW_PX = 60;
const number = new Intl.NumberFormat();

/** Lists all stocks by name. Only the visible rows are rendered. */
export function StockList({
  chosen,
  onChoose,
}: {
  chosen: string;
  onChoose: (id: string) => void;
}) {
  const { stocks, connection, painter } = useLive();
  const ids = useSignal(stocks.ids);
  const { loaded } = useSignal(connection);
  const [search, setSearch] = useState('');
  const text = useDeferredValue(search).trim().toLocaleLowerCase();
  const found = useMemo(() => {
    if (!text) return ids;
    const fits = (part: string): boolean => part.toLocaleLowerCase().includes(text);
    return ids.filter((id) => fits(id) || fits(stocks.get(id)?.name ?? ''));
  }, [ids, text, stocks]);
  const box = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: found.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => found[index] ?? index,
    overscan: 3,
  });

  return (
    <section className="stocks sheet" aria-labelledby="stocks-title">
      <header>
        <h2 id="stocks-title">
          Stock <span className="soft number">{number.format(ids.length)}</span>
        </h2>
        <input
          type="search"
          aria-label="Find a stock by name or id"
          placeholder="Find a stock"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </header>
      <section
        className="scroller"
        ref={box}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users must be able to scroll
        tabIndex={0}
        aria-label="All stocks"
        onScroll={painter.pauseForScroll}
      >
        <ol style={{ blockSize: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, key, start }) => {
            const id = String(found[index]);
            return (
              <li
                key={key}
                aria-setsize={found.length}
                aria-posinset={index + 1}
                className="stock"
                data-stock={id}
                data-chosen={id === chosen}
                style={{ transform: `translateY(${start}px)` }}
              >
                <StockRow id={id} chosen={id === chosen} onChoose={onChoose} />
              </li>
            );
          })}
        </ol>
        {found.length === 0 && <p className="empty soft">{emptyText(loaded, text)}</p>}
      </section>
    </section>
  );
}

function emptyText(loaded: boolean, text: string): string {
  if (!loaded) return 'Loading the stocks…';
  return text ? 'No stock matches.' : 'No stocks yet. Add one.';
}
