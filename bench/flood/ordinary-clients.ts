/** Number of requests per second of one client, far below the rate limit. */
const PER_SECOND = 10;
const COUNT = 10;
const QUERY = '{ stocks(first: 5) { nodes { id name quantity } } }';
const TIMEOUT_MS = 10_000;

/** Ordinary clients, each with its own address. */
export interface OrdinaryClients {
  readonly forget: () => void;
  /** Latencies in milliseconds and number of failed requests since the last `forget`. */
  readonly results: () => { readonly latencies: readonly number[]; readonly failed: number };
  readonly stop: () => void;
}

export function startOrdinaryClients(url: string): OrdinaryClients {
  let latencies: number[] = [];
  let failed = 0;
  const send = async (user: number): Promise<void> => {
    const from = performance.now();
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `198.51.100.${user + 1}`,
        },
        body: JSON.stringify({ query: QUERY }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const { data } = (await response.json()) as { data?: unknown };
      if (data) latencies.push(performance.now() - from);
      else failed += 1;
    } catch {
      failed += 1;
    }
  };
  const timers = Array.from({ length: COUNT }, (_, user) =>
    setInterval(() => void send(user), 1000 / PER_SECOND),
  );
  return {
    forget: () => {
      latencies = [];
      failed = 0;
    },
    results: () => ({ latencies, failed }),
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
