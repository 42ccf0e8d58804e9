import { ClientError, type GraphQLErrorLike } from '../client-error.ts';
import type { LiveDocument, Variables } from '../document.ts';
import type { LiveClient, QueryOptions } from '../live-client.ts';
import type { LiveEvent } from '../live-event.ts';

/** A result as other GraphQL clients expect it. */
export interface ResultLike {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly GraphQLErrorLike[];
  readonly extensions?: Record<string, unknown>;
}

/** Returns an event as result; undefined for a marker of a snapshot, which other clients do not know. */
export function toResult(event: LiveEvent<unknown>): ResultLike | undefined {
  if (event.snapshot) return undefined;
  const { data, errors, cursor, conflated } = event;
  return {
    data: data as Record<string, unknown> | null,
    ...(errors && { errors }),
    extensions: { live: { cursor, conflated } },
  };
}

/**
 * Sends a query or mutation.
 * @throws {ClientError} if there is no response; GraphQL errors are part of the result
 */
export async function execute(
  client: LiveClient,
  document: LiveDocument,
  variables: Variables | undefined,
  options: QueryOptions,
): Promise<ResultLike> {
  try {
    const data = await client.query(document, variables, options);
    return { data: data as Record<string, unknown> };
  } catch (error) {
    if (!(error instanceof ClientError) || error.errors.length === 0) throw error;
    return { data: error.data as Record<string, unknown> | null, errors: error.errors };
  }
}
