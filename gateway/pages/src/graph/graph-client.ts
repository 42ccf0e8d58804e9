import { ClientError, createClient, type LiveClient } from '@gudang/client';
import type { GraphError } from './graph-errors.ts';
import { sendOperation } from './send-operation.ts';
import { noteRefused, noteTokenWanted, sessionToken, tokenToSend } from './session-token.ts';

export interface Answer<T> {
  /**
   * Null if the whole operation failed. If only some fields failed, these fields are null, and
   * `errors` contains their paths.
   */
  readonly data: T | null;
  readonly errors: readonly GraphError[];
}

/**
 * Time-out in milliseconds. The gateway's time-out for a service is shorter, so the gateway's
 * error, which names the service, arrives first.
 */
const TIMEOUT_MS = 12_000;
/** Longest pause between attempts to connect, in milliseconds. A user waits in front of the page. */
const RETRY_MS = 3_000;

/**
 * Creates the client of the gateway that serves this page. It sends the token of this tab. If the
 * gateway refuses the token, the client continues without one until the user enters another.
 */
export function createGraphClient(): LiveClient {
  let sent: string | null = null;
  const client = createClient({
    url: '/graphql',
    queryTimeout: TIMEOUT_MS,
    maxRetryDelay: RETRY_MS,
    token: (reason) => {
      const refused = reason === 'refused' ? sent : null;
      if (refused !== null) {
        sent = null;
        noteRefused(refused, 'The token is invalid');
        void explainRefusal(refused);
      }
      sent = tokenToSend();
      return sent;
    },
  });
  // Another token may give access to other data, so the client connects again with it.
  sessionToken.subscribe(() => {
    if (tokenToSend() !== sent) client.reconnect();
  });
  return client;
}

/** Records the gateway's reason, which browsers do not show to pages if a websocket is refused. */
async function explainRefusal(token: string): Promise<void> {
  const { errors } = await sendOperation('{ __typename }', token).catch(() => ({ errors: [] }));
  const refusal = errors.find(isUnauthenticated);
  if (refusal) noteRefused(token, refusal.message);
}

/**
 * Sends a query or mutation.
 * @throws {ClientError} if the gateway sent no GraphQL response, so that it is unknown whether the
 * operation was executed
 */
export async function send<T>(
  client: LiveClient,
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Answer<T>> {
  try {
    return { data: await client.query<T>(query, variables), errors: [] };
  } catch (error) {
    if (!(error instanceof ClientError) || error.errors.length === 0) throw error;
    const errors = error.errors as readonly GraphError[];
    if (tokenToSend() === null && errors.some(isUnauthenticated)) noteTokenWanted();
    return { data: error.data as T | null, errors };
  }
}

function isUnauthenticated({ extensions }: GraphError): boolean {
  return extensions?.code === 'UNAUTHENTICATED';
}
