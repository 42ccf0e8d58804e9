import { createSignal, type Signal } from '../signal.ts';

/** Where it is kept: for this tab, and gone with it. Never in an address, which is logged and handed on. */
const KEY = 'gudang-token';

export interface SessionToken {
  /** What is shown to the graph. */
  readonly token?: string;
  /** Why it lets nobody in; nothing is asked with it again. */
  readonly refusal?: string;
  /** Something that the page asks for needs one. */
  readonly wanted: boolean;
}

/** Who looks at this page, as the graph sees it. */
export const sessionToken: Signal<SessionToken> = createSignal(kept());

function kept(): SessionToken {
  const token = sessionStorage.getItem(KEY);
  return { wanted: false, ...(token ? { token } : {}) };
}

/** Shows this token from now on; it may be pasted with the word Bearer before it. */
export function giveToken(text: string): void {
  const token = text.trim().replace(/^Bearer +/i, '');
  if (token === '') return;
  sessionStorage.setItem(KEY, token);
  sessionToken.set({ token, wanted: sessionToken.get().wanted });
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  sessionToken.set({ wanted: sessionToken.get().wanted });
}

/** As a header has it, and `connection_init`. */
export function authorization(): { readonly authorization?: string } {
  const { token } = sessionToken.get();
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Notes that something needs a token, or that the one that was shown is no good. @param shown the header */
export function noteUnauthenticated(shown: string | undefined, message: string): void {
  const state = sessionToken.get();
  // Of one that was given meanwhile, this says nothing.
  if (shown !== authorization().authorization) return;
  if (shown === undefined) {
    if (!state.wanted) sessionToken.set({ ...state, wanted: true });
  } else if (state.refusal !== message) {
    sessionToken.set({ ...state, refusal: message });
  }
}

/** Resolves once another token is there, or none; at once when the one that is there may be good. */
export function anotherToken(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (sessionToken.get().refusal !== undefined) return;
      stop();
      resolve();
    };
    const stop = sessionToken.subscribe(look);
    look();
  });
}

/** Whose it is, by its own word: the graph alone knows whether that is true. */
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
