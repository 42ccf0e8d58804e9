/** How often each asks a second: far below what one may. */
const A_SECOND = 10;
const COUNT = 10;
const QUERY = '{ stocks(first: 5) { nodes { id name quantity } } }';
const ANSWER_WITHIN_MS = 10_000;

/** Ordinary users, each from an address of its own. */
export interface Others {
  readonly forget: () => void;
  /** What they waited since then, in milliseconds, and how many were not answered. */
  readonly seen: () => { readonly waited: readonly number[]; readonly failed: number };
  readonly stop: () => void;
}

export function startOthers(url: string): Others {
  let waited: number[] = [];
  let failed = 0;
  const ask = async (user: number): Promise<void> => {
    const from = performance.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `198.51.100.${user + 1}`,
        },
        body: JSON.stringify({ query: QUERY }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const { data } = (await response.json()) as { data?: unknown };
      if (data) waited.push(performance.now() - from);
      else failed += 1;
    } catch {
      failed += 1;
    }
  };
  const timers = Array.from({ length: COUNT }, (_, user) =>
    setInterval(() => void ask(user), 1000 / A_SECOND),
  );
  return {
    forget: () => {
      waited = [];
      failed = 0;
    },
    seen: () => ({ waited, failed }),
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
