import { authorization, noteUnauthenticated, sessionToken } from './session-token.ts';
import type { GraphError } from './graph-errors.ts';

export interface Answer<T> {
  /** Null when nothing could be had; else with nulls where `errors` point. */
  readonly data: T | null;
  readonly errors: readonly GraphError[];
}

/** Nobody answered, or not with GraphQL: the request may or may not have been carried out. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** Longer than the gateway waits for a service: its own answer says which one is away. */
const ASK_WITHIN_MS = 12_000;

/**
 * Asks the graph of the gateway that serves this page.
 * @throws {NoAnswer} when it is away or silent for 12 s
 */
export async function ask<T>(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Answer<T>> {
  const { refusal } = sessionToken.get();
  if (refusal !== undefined) {
    return { data: null, errors: [{ message: refusal, extensions: { code: 'UNAUTHENTICATED' } }] };
  }
  const shown = authorization();
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...shown },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(ASK_WITHIN_MS),
    });
    const { data = null, errors = [] } = (await response.json()) as Partial<Answer<T>>;
    const refused = errors.find(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
    if (refused) noteUnauthenticated(shown.authorization, refused.message);
    return { data, errors };
  } catch (cause) {
    throw new NoAnswer('The gateway does not answer', { cause });
  }
}
