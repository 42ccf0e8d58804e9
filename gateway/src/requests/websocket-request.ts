import type { Identity } from '@gudang/auth';
import type { SubscribePayload } from 'graphql-ws';
import { ACCEPTS_PARTS } from './accepted-types.ts';
import { type GraphQLRequest, JSON_BODY } from './graphql-request.ts';
import { readFields } from './request-fields.ts';

const NEVER = Number.POSITIVE_INFINITY;

/**
 * Reads the payload of a `subscribe` message.
 * @param identity the caller of the websocket; the session, not the operation, ends at the token's
 * expiry
 * @throws {RequestError} 400 if a field has a type that is not allowed
 */
export function readWebsocketRequest(
  payload: SubscribePayload,
  identity: Identity,
): GraphQLRequest {
  return {
    ...readFields(payload as unknown as Readonly<Record<string, unknown>>),
    principal: { identity, expiresAt: NEVER },
    accepts: ACCEPTS_PARTS,
    method: 'POST',
    preflight: JSON_BODY,
    idempotencyKeys: undefined,
  };
}
