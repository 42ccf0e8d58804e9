import { useCallback, useSyncExternalStore } from 'react';
import { useLive } from '../live-context.tsx';
import type { ShownStock } from './stock-store.ts';

/** What a component shows of a stock: it is rendered again only when that changes. */
export function useStock<T>(id: string, pick: (stock: ShownStock | undefined) => T): T {
  const { stocks } = useLive();
  const subscribe = useCallback(
    (listener: () => void) => stocks.subscribe(id, listener),
    [id, stocks],
  );
  return useSyncExternalStore(subscribe, () => pick(stocks.get(id)));
}
