import { createSignal, type Signal } from '../signal.ts';

/**
 * Key in sessionStorage, which deletes the token with the tab. A URL never contains the token,
 * because URLs are logged.
 */
const KEY = 'gudang-token';

export interface SessionToken {
  /** The token that the user entered. */
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

/** Returns the token to send; null if there is none, or if the gateway has refused it. */
export function tokenToSend(): string | null {
  const { token, refusal } = sessionToken.get();
  return token === undefined || refusal !== undefined ? null : token;
}

/** Records that an operation needs a token. */
export function noteTokenWanted(): void {
  const state = sessionToken.get();
  if (!state.wanted) sessionToken.set({ ...state, wanted: true });
}

/**
 * Records that the gateway refused a token.
 * @param sent the refused token. If another one was entered since, nothing is recorded.
 */
export function noteRefused(sent: string | null, reason: string): void {
  const state = sessionToken.get();
  if (state.token === undefined || state.token !== sent || state.refusal === reason) return;
  sessionToken.set({ ...state, refusal: reason });
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
