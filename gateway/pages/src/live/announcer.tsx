import { useEffect, useState } from 'react';
import { useLive } from './live-context.tsx';

/** A screen reader that hears of every change hears nothing else. */
const SAY_EVERY_MS = 10_000;

/** Says now and then which stocks have moved. What concerns the user's own doing is said elsewhere. */
export function Announcer() {
  const { moved, stocks } = useLive();
  const [text, setText] = useState('');
  useEffect(() => {
    const waiting = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const say = (): void => {
      timer = undefined;
      const stock = stocks.get([...waiting].at(-1) ?? '');
      const others = waiting.size - 1;
      waiting.clear();
      if (!stock) return;
      const more = others > 0 ? `, and ${others} other stocks moved` : '';
      setText(`${stock.name} now ${stock.quantity}${more}`);
    };
    const unsubscribe = moved.subscribe(() => {
      for (const id of moved.get()) {
        waiting.delete(id);
        waiting.add(id);
      }
      timer ??= setTimeout(say, SAY_EVERY_MS);
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
