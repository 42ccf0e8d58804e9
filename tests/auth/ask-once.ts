import { type GraphError, graphAt } from '../system/graph-client.ts';

/** What one operation brought: of a stream, its first event. */
export interface Outcome {
  readonly data: unknown;
  readonly codes: readonly unknown[];
}

/** Asks over HTTP; for a stream over server-sent events. */
export async function askOnce(
  url: string,
  query: string,
  authorization: string | undefined,
): Promise<Outcome> {
  const isStream = query.startsWith('subscription');
  const { data, errors } = isStream
    ? await firstEvent(url, query, authorization)
    : await graphAt(url, authorization)(query);
  return { data, codes: (errors ?? []).map(({ extensions }) => extensions?.['code']) };
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly GraphError[] | undefined;
}

async function firstEvent(
  url: string,
  query: string,
  authorization: string | undefined,
): Promise<Answer> {
  const leaving = new AbortController();
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify({ query }),
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(20_000)]),
  });
  if (!response.ok) return (await response.json()) as Answer;
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const event = /^data: (\{.*\})$/m.exec(text)?.[1];
    if (event === undefined) continue;
    leaving.abort();
    return JSON.parse(event);
  }
  throw new Error(`The stream brought no event: ${text}`);
}
