import { setTimeout as pause } from 'node:timers/promises';

/** A subscription that a healthy client would not send. */
interface Poison {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

const SUBSCRIPTION =
  'subscription ($ids: [ID!], $after: String) { stockChanged(ids: $ids, after: $after) { cursor stock { id } } }';
const aliases = Array.from({ length: 95 }, (_, index) => `a${'x'.repeat(600)}${index}: cursor`);

const POISONS: Readonly<Record<string, Poison>> = {
  // More than the 64 KiB that a websocket message of a subgraph could have.
  'ids of 95 KB': {
    query: SUBSCRIPTION,
    variables: { ids: Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(95, 'x')) },
  },
  'a cursor of 200 KB': { query: SUBSCRIPTION, variables: { after: 'x'.repeat(200_000) } },
  'aliases of 60 KB': {
    query: `subscription { stockChanged { stock { id } ${aliases.join(' ')} } }`,
    variables: {},
  },
  'an invalid cursor': { query: SUBSCRIPTION, variables: { after: 'x' } },
  'a cursor of another epoch': {
    query: SUBSCRIPTION,
    variables: { after: Buffer.from('{"epoch":"x","offset":"1"}').toString('base64url') },
  },
  'ids with lone surrogates and NUL': {
    query: SUBSCRIPTION,
    variables: { ids: ['\ud800', '\udc00x', 'a\u0000b', '\u202e'] },
  },
  'no ids': { query: SUBSCRIPTION, variables: { ids: [] } },
  'an id of 200 KB': { query: SUBSCRIPTION, variables: { ids: ['x'.repeat(200_000)] } },
};
/** Time for which a culprit reads its stream, in milliseconds. */
const READ_MS = 1_000;
/** Pause of a culprit between two operations, in milliseconds. */
const PAUSE_MS = 500;
const SHOWN = 200;

/** Numbers of outcomes by poison operation: the first bytes of the error, or `a stream`. */
export type Outcomes = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Starts a client for each poison operation, which sends it as an event stream again and again. */
export function startCulprits(url: string): { readonly stop: () => Promise<Outcomes> } {
  const outcomes: Record<string, Record<string, number>> = {};
  const over = new AbortController();
  const repeat = async (name: string, poison: Poison): Promise<void> => {
    const counts: Record<string, number> = {};
    outcomes[name] = counts;
    while (!over.signal.aborted) {
      const seen = await send(url, poison);
      counts[seen] = (counts[seen] ?? 0) + 1;
      await pause(PAUSE_MS);
    }
  };
  const all = Object.entries(POISONS).map(([name, poison]) => repeat(name, poison));
  return {
    stop: async () => {
      over.abort();
      await Promise.all(all);
      return outcomes;
    },
  };
}

async function send(url: string, poison: Poison): Promise<string> {
  const giveUp = AbortSignal.timeout(READ_MS);
  let text = '';
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify(poison),
      signal: giveUp,
    });
    text = `${response.status} `;
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  } catch (error) {
    if (!giveUp.aborted) return `failed: ${error}`;
  }
  const errors = text.indexOf('{"errors"');
  return errors < 0 ? 'a stream' : text.slice(errors, errors + SHOWN);
}
