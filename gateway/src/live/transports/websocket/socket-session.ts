import type { Authentication, Principal, TokenCheck } from '@gudang/auth';
import { type Identity, UNRESTRICTED } from '@gudang/auth';
import { ServiceError } from '@gudang/runtime';
import { CloseCode } from 'graphql-ws';
import { atExpiry } from '../../../auth/expiry.ts';
import { RequestError } from '../../../errors/request-error.ts';
import { LiveCloseCode } from './close-codes.ts';

/** Session of a websocket: keeps the principal as long as the token is valid. */
export interface SocketSession {
  /** Checks the token of `connection_init`; may call `accepted` before it returns. */
  readonly begin: (payload: unknown, accepted: (identity: Identity) => void) => void;
  /**
   * Replaces the token with the token in a ping, which must have the same principal.
   * @param renewed called with the new token when it is valid
   */
  readonly renew: (payload: unknown, renewed: (token: string) => void) => void;
  readonly end: () => void;
}

/** Session while auth is disabled: every caller has full access. */
const OPEN: SocketSession = {
  begin: (_payload, accepted) => accepted(UNRESTRICTED),
  renew: () => {},
  end: () => {},
};

/**
 * Creates the session of a websocket, before `connection_init` arrives.
 * @param authorization the `authorization` header of the request that opened the websocket;
 * browsers cannot set this header
 * @param around wraps each check of an unknown token
 * @param close closes the websocket
 */
export function createSocketSession(
  auth: Authentication,
  authorization: string | undefined,
  close: (code: number, reason: string) => void,
  around?: TokenCheck,
): SocketSession {
  if (!auth.on) return OPEN;
  let principal: Principal | undefined;
  let cancelExpiry = (): void => {};
  let hasEnded = false;

  const check = async (
    given: string | undefined,
    use: (found: Principal) => void,
  ): Promise<void> => {
    try {
      const found = await auth.authenticate(given, around);
      if (!hasEnded) use(found);
    } catch (error) {
      if (hasEnded) return;
      if (error instanceof RequestError) close(LiveCloseCode.tryAgainLater, error.message);
      else if (!(error instanceof ServiceError))
        close(CloseCode.InternalServerError, 'Internal error');
      else if (error.code === 'UNAVAILABLE') close(LiveCloseCode.tryAgainLater, error.message);
      else close(CloseCode.Forbidden, error.message);
    }
  };
  const keep = (next: Principal): void => {
    principal = next;
    cancelExpiry();
    cancelExpiry = atExpiry(next.expiresAt, () =>
      close(LiveCloseCode.tokenExpired, 'The token has expired: reconnect with a fresh one'),
    );
  };

  return {
    begin: (payload, accepted) =>
      void check(tokenIn(payload) ?? authorization, (found) => {
        keep(found);
        accepted(found.identity);
      }),
    renew: (payload, renewed) => {
      const given = tokenIn(payload);
      if (given === undefined || !principal) return;
      void check(given, (next) => {
        if (principal && isSame(principal.identity, next.identity)) {
          keep(next);
          renewed(given);
        } else
          close(
            CloseCode.Forbidden,
            'The new token has another subject or other scopes: reconnect with it',
          );
      });
    },
    end: () => {
      hasEnded = true;
      cancelExpiry();
    },
  };
}

/** Returns the token in a payload. The key `authorization` is case-insensitive, like a header. */
function tokenIn(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  for (const [name, value] of Object.entries(payload)) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') return value;
  }
  return undefined;
}

/** Whether two identities have the same subject and scopes; scopes are sorted and unique. */
function isSame(one: Identity, other: Identity): boolean {
  return one.subject === other.subject && one.scopes.join(' ') === other.scopes.join(' ');
}
