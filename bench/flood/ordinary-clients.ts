/** Number of requests per second of one client, far below the rate limit. */
const PER_SECOND = 10;
const COUNT = 10;
const QUERY = '{ stocks(first: 5) { nodes { id name quantity } } }';
const TIMEOUT_MS = 10_000;

/** Ordinary clients, each with its own address. */
export interface OrdinaryClients {
  readonly forget: () => void;
  /** Latencies in milliseconds and number of failed requests since the last `forget`. */
  readonly results: () => {
    readonly latencies: readonly number[];
    /** CPU time that the servers used while a request was in flight, in milliseconds. */
    readonly cpuTimes: readonly number[];
    readonly failed: number;
  };
  readonly stop: () => void;
}

/** @param cpuMs returns the servers' CPU time so far, in milliseconds */
export function startOrdinaryClients(url: string, cpuMs = (): number => 0): OrdinaryClients {
  let cpuTimes: number[] = [];
  let latencies: number[] = [];
  let failed = 0;
  const send = async (user: number): Promise<void> => {
    const from = performance.now();
    const cpuBefore = cpuMs();
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
      if (data) {
        latencies.push(performance.now() - from);
        cpuTimes.push(cpuMs() - cpuBefore);
      } else failed += 1;
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
      cpuTimes = [];
      failed = 0;
    },
    results: () => ({ latencies, cpuTimes, failed }),
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
