import { createSignal, type Signal } from '../signal.ts';

/**
 * Key in sessionStorage, which deletes the token with the tab. A URL never contains the token,
 * because URLs are logged.
 */
const KEY = 'gudang-token';

export interface SessionToken {
  /** The token that this page sends. */
  readonly token?: string;
  /** Reason why the gateway refused the token. A refused token is not sent again. */
  readonly refusal?: string;
  /** Whether an operation of the page needs a token. */
  readonly wanted: boolean;
}

/** The token of this tab. */
export const sessionToken: Signal<SessionToken> = createSignal(loadToken());

function loadToken(): SessionToken {
  const token = sessionStorage.getItem(KEY);
  return { wanted: false, ...(token ? { token } : {}) };
}

/** Stores a token and uses it from now on. @param text may start with `Bearer` */
export function setToken(text: string): void {
  const token = text.trim().replace(/^Bearer +/i, '');
  if (token === '') return;
  sessionStorage.setItem(KEY, token);
  sessionToken.set({ token, wanted: sessionToken.get().wanted });
}

export function removeToken(): void {
  sessionStorage.removeItem(KEY);
  sessionToken.set({ wanted: sessionToken.get().wanted });
}

/** The token as a header and as the payload of `connection_init`. */
export function authorization(): { readonly authorization?: string } {
  const { token } = sessionToken.get();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/**
 * Records that the gateway refused a token, or that an operation needs one.
 * @param sent the authorization header of the request; undefined if there was none
 */
export function noteUnauthenticated(sent: string | undefined, message: string): void {
  const state = sessionToken.get();
  // If the token has changed since the request, the answer says nothing about the current token.
  if (sent !== authorization().authorization) return;
  if (sent === undefined) {
    if (!state.wanted) sessionToken.set({ ...state, wanted: true });
  } else if (state.refusal !== message) {
    sessionToken.set({ ...state, refusal: message });
  }
}

/**
 * Resolves at once if the gateway has not refused the current token. If it has, resolves once
 * another token is set or the token is removed.
 */
export function usableToken(): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (sessionToken.get().refusal !== undefined) return;
      stop();
      resolve();
    };
    const stop = sessionToken.subscribe(check);
    check();
  });
}

/**
 * Returns the subject of a token without verifying the token; undefined if the token has no
 * subject.
 */
export function subjectOf(token: string): string | undefined {
  const [, payload = ''] = token.split('.');
  try {
    const bytes = Uint8Array.from(
      atob(payload.replaceAll('-', '+').replaceAll('_', '/')),
      (character) => character.codePointAt(0) ?? 0,
    );
    const { sub } = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
