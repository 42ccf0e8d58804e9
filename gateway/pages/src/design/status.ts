/** State of a part; `unknown` when no service that uses the part answers. */
export type State = 'ok' | 'degraded' | 'down' | 'unknown';

/** Answer of the gateway's `/status`. */
export interface Status {
  /** Whether the gateway serves Sandbox and GraphiQL. */
  readonly explorers: boolean;
  /** Names of the subgraphs that cannot answer now. */
  readonly unavailable?: readonly string[];
  /** Whether the gateway serves `/journeys`. */
  readonly journeys?: boolean;
  /** Undefined if a proxy in front of the gateway keeps `/status` from the public. */
  readonly parts?:
    | readonly {
        /** Such as `gateway`, `subgraph order` or `kafka`. */
        readonly id: string;
        readonly name: string;
        readonly state: State;
        /** A sentence for users. */
        readonly says: string;
      }[]
    | undefined;
}

export type Parts = NonNullable<Status['parts']>;

const TIMEOUT_MS = 5_000;

/** Answers of proxies that do not forward `/status`. */
const NOT_PUBLIC = [403, 404];

/** Fetches the states of all parts. @throws if the gateway does not answer within 5 s */
export async function fetchStatus(): Promise<Status> {
  const response = await fetch('/status', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (NOT_PUBLIC.includes(response.status)) {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return { explorers: (await fetch('/graphiql', { method: 'HEAD', signal })).ok };
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()) as Status;
}

/** Summarizes all parts in one sentence. */
export function summaryOf(parts: Parts): string {
  const names = parts.filter(({ state }) => state !== 'ok').map(({ name }) => name);
  if (names.length === 0) return 'All parts work.';
  const count =
    names.length === 1 ? '1 part has a problem' : `${names.length} parts have a problem`;
  return `${count}: ${names.join(', ')}.`;
}

/** Shows or hides the elements with `data-needs="<feature>"`. */
export function showElementsNeeding(feature: string, isAvailable: boolean): void {
  for (const element of document.querySelectorAll<HTMLElement>(`[data-needs="${feature}"]`)) {
    element.hidden = !isAvailable;
  }
}
