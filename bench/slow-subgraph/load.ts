import { setTimeout as pause } from 'node:timers/promises';

export const IMPAIRED = ['hanging', 'slow', 'flapping'] as const;

/** Requests per second that need only healthy subgraphs, and that need one impaired subgraph each. */
const HEALTHY_PER_SECOND = 200;
const IMPAIRED_PER_SECOND = 20;
const TICK_MS = 5;

export interface LoadResult {
  /** Latencies of the requests that need only healthy subgraphs, in milliseconds. */
  readonly latencies: readonly number[];
  /** How many of these requests had errors. */
  readonly failed: number;
  /** Answers with and without errors, by the impaired subgraph that they needed. */
  readonly impaired: Readonly<Record<string, { answered: number; failed: number }>>;
}

let count = 0;

/** Sends requests at fixed rates, regardless of how fast they are answered. */
export async function sendLoad(graphUrl: string, ms: number): Promise<LoadResult> {
  const latencies: number[] = [];
  let failed = 0;
  const impaired = Object.fromEntries(IMPAIRED.map((name) => [name, { answered: 0, failed: 0 }]));
  const pending = new Set<Promise<void>>();

  const track = (work: Promise<void>): void => {
    pending.add(work);
    void work.finally(() => pending.delete(work));
  };
  const askHealthy = async (): Promise<void> => {
    const from = performance.now();
    const fields = count % 2 === 0 ? 'id name' : 'id name rating';
    const hasErrors = await ask(graphUrl, `alpha(n: $n) { ${fields} }`);
    latencies.push(performance.now() - from);
    if (hasErrors) failed += 1;
  };
  const askImpaired = async (name: string): Promise<void> => {
    const hasErrors = await ask(graphUrl, `${name}(n: $n) { id name }`);
    const counted = impaired[name];
    if (counted) counted[hasErrors ? 'failed' : 'answered'] += 1;
  };

  const begun = performance.now();
  const sent = { healthy: 0, impaired: 0 };
  for (let now = begun; now - begun < ms; now = performance.now()) {
    const seconds = (now - begun) / 1_000;
    for (; sent.healthy < seconds * HEALTHY_PER_SECOND; sent.healthy += 1) track(askHealthy());
    for (; sent.impaired < seconds * IMPAIRED_PER_SECOND; sent.impaired += 1) {
      for (const name of IMPAIRED) track(askImpaired(name));
    }
    await pause(TICK_MS);
  }
  await Promise.all(pending);
  return { latencies, failed, impaired };
}

/** Sends a query that shares no request. @returns whether there is no answer, or an answer with errors */
async function ask(graphUrl: string, field: string): Promise<boolean> {
  count += 1;
  try {
    const response = await fetch(graphUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: `query ($n: Int!) { ${field} }`,
        variables: { n: count },
      }),
    });
    const { errors } = (await response.json()) as { errors?: unknown };
    return errors !== undefined;
  } catch {
    return true;
  }
}
