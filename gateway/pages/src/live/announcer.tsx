import { useEffect, useState } from 'react';
import { useLive } from './live-context.tsx';

/**
 * Minimum interval between announcements, in ms. A screen reader that reads every change aloud
 * leaves no time for anything else.
 */
const ANNOUNCE_EVERY_MS = 10_000;

/** Announces changed stocks to screen readers, at most every 10 s. Forms announce their own results. */
export function Announcer() {
  const { moved, stocks } = useLive();
  const [text, setText] = useState('');
  useEffect(() => {
    const changed = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const announce = (): void => {
      timer = undefined;
      const stock = stocks.get([...changed].at(-1) ?? '');
      const others = changed.size - 1;
      changed.clear();
      if (!stock) return;
      const more = others > 0 ? `, and ${others} other stocks changed` : '';
      setText(`${stock.name}: ${stock.quantity}${more}`);
    };
    const unsubscribe = moved.subscribe(() => {
      for (const id of moved.get()) {
        changed.delete(id);
        changed.add(id);
      }
      timer ??= setTimeout(announce, ANNOUNCE_EVERY_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }, [moved, stocks]);
  return (
    <div className="unseen" aria-live="polite">
      {text}
    </div>
  );
}
