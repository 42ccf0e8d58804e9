import type { Principal } from '@gudang/auth';
import type { AcceptedTypes } from './accepted-types.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A GraphQL request, the same for every protocol. Only this folder reads protocols. Everything after
 * it takes this object, so that all parts of the gateway see the same request.
 */
export interface GraphQLRequest {
  /** The operation's text. Undefined if the request contains only the id of a persisted query. */
  readonly query: string | undefined;
  /** Undefined if it is absent, null or empty. */
  readonly operationName: string | undefined;
  /** Empty if they are absent or null. */
  readonly variables: JsonObject;
  /** Undefined if they are absent or null. */
  readonly extensions: JsonObject | undefined;
  readonly principal: Principal;
  readonly accepts: AcceptedTypes;
  /** `POST` for websockets. */
  readonly method: 'GET' | 'POST';
  /**
   * Headers by which Apollo Server's CSRF prevention recognizes that a browser has sent a preflight
   * for this request. Without such a header, a plain GET is rejected.
   */
  readonly preflight: Readonly<Record<string, string>>;
  /**
   * The values of the header `Idempotency-Key`, one for each time it was sent. Undefined without this
   * header, and for websockets, whose operations have no headers.
   */
  readonly idempotencyKeys: readonly string[] | undefined;
}

/** `preflight` of a request that no browser sends without a preflight. */
export const JSON_BODY = { 'content-type': 'application/json' } as const;

/** The four fields of a request, which have the same names in all protocols. */
export type RequestFields = Pick<
  GraphQLRequest,
  'query' | 'operationName' | 'variables' | 'extensions'
>;
