import type { Authentication, Principal, TokenCheck } from '@gudang/auth';
import { type Identity, UNRESTRICTED } from '@gudang/auth';
import { ServiceError } from '@gudang/runtime';
import { CloseCode } from 'graphql-ws';
import { atExpiry } from '../../../auth/expiry.ts';
import { RequestError } from '../../../errors/request-error.ts';
import { LiveCloseCode } from './close-codes.ts';

/** Who is at the other end of a websocket, for as long as their token is good. */
export interface SocketSession {
  /** Checks what `connection_init` says; `accepted` may be called at once. */
  readonly begin: (payload: unknown, accepted: (identity: Identity) => void) => void;
  /** A ping's token, in place of the one before. */
  readonly renew: (payload: unknown) => void;
  readonly end: () => void;
}

/** Where nobody is told apart. */
const OPEN: SocketSession = {
  begin: (_payload, accepted) => accepted(UNRESTRICTED),
  renew: () => {},
  end: () => {},
};

/**
 * @param authorization of the request that opened the websocket, for whoever can set it there
 * @param around each check of a token that is not known
 * @param close with a code after which graphql-ws's client comes back
 */
export function createSocketSession(
  auth: Authentication,
  authorization: string | undefined,
  close: (code: number, reason: string) => void,
  around?: TokenCheck,
): SocketSession {
  if (!auth.on) return OPEN;
  let caller: Principal | undefined;
  let stopWaiting = (): void => {};
  let over = false;

  const check = async (
    given: string | undefined,
    use: (found: Principal) => void,
  ): Promise<void> => {
    try {
      const found = await auth.authenticate(given, around);
      if (!over) use(found);
    } catch (error) {
      if (over) return;
      if (error instanceof RequestError) close(LiveCloseCode.tryAgainLater, error.message);
      else if (!(error instanceof ServiceError))
        close(CloseCode.InternalServerError, 'Internal error');
      else if (error.code === 'UNAVAILABLE') close(LiveCloseCode.tryAgainLater, error.message);
      else close(CloseCode.Forbidden, error.message);
    }
  };
  const hold = (next: Principal): void => {
    caller = next;
    stopWaiting();
    stopWaiting = atExpiry(next.expiresAt, () =>
      close(LiveCloseCode.tokenExpired, 'The token has expired: connect with a fresh one'),
    );
  };

  return {
    begin: (payload, accepted) =>
      void check(authorizationIn(payload) ?? authorization, (found) => {
        hold(found);
        accepted(found.identity);
      }),
    renew: (payload) => {
      const given = authorizationIn(payload);
      if (given === undefined || !caller) return;
      void check(given, (next) => {
        if (caller && isSame(caller.identity, next.identity)) hold(next);
        else close(CloseCode.Forbidden, 'The new token is of others: connect with it');
      });
    },
    end: () => {
      over = true;
      stopWaiting();
    },
  };
}

/** Clients write it as they would a header, in any letter case. */
function authorizationIn(payload: unknown): string | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  for (const [name, value] of Object.entries(payload)) {
    if (name.toLowerCase() === 'authorization' && typeof value === 'string') return value;
  }
  return undefined;
}

/** Scopes are sorted, and each is there once. */
function isSame(one: Identity, other: Identity): boolean {
  return one.subject === other.subject && one.scopes.join(' ') === other.scopes.join(' ');
}
