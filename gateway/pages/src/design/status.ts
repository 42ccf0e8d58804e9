/** How one part is; `unknown` where nobody who knows can be asked. */
export type State = 'ok' | 'degraded' | 'down' | 'unknown';

/** What `/status` of the gateway answers. */
export interface Status {
  /** Whether the pages for exploring are served. */
  readonly explorers: boolean;
  readonly parts: readonly {
    readonly name: string;
    readonly state: State;
    /** Plain words, for people. */
    readonly says: string;
  }[];
}

const ASK_WITHIN_MS = 5_000;

/** @throws when the gateway does not answer */
export async function readStatus(): Promise<Status> {
  const response = await fetch('/status', { signal: AbortSignal.timeout(ASK_WITHIN_MS) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()) as Status;
}

/** One line about all parts. */
export function summaryOf({ parts }: Status): string {
  const troubled = parts.filter(({ state }) => state !== 'ok');
  if (troubled.length === 0) return 'All parts work.';
  const names = troubled.map(({ name }) => name).join(', ');
  return `${troubled.length === 1 ? 'One part needs' : `${troubled.length} parts need`} a look: ${names}.`;
}
