import { removeToken, sessionToken, setToken, subjectOf } from '../graph/session-token.ts';
import { useSignal } from './live-context.tsx';

/**
 * Reloads the page if the subject changed, because the new subject may have no access to the data
 * on the page.
 */
function replaceToken(text: string): void {
  const { token: before } = sessionToken.get();
  setToken(text);
  const { token: now } = sessionToken.get();
  if (before === undefined || now === undefined) return;
  if (subjectOf(before) !== subjectOf(now)) location.reload();
}

/** Form to sign in and out. Hidden when the graph does not require tokens. */
export function SignInForm() {
  const { token, refusal, wanted } = useSignal(sessionToken);
  if (token === undefined && !wanted) return null;
  const isSignedIn = token !== undefined && refusal === undefined;
  const subject = token === undefined ? undefined : subjectOf(token);
  return (
    <form
      className="sign-in sheet"
      aria-label="Sign in"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        replaceToken(String(new FormData(form).get('token')));
        form.reset();
      }}
    >
      {isSignedIn ? (
        <output className="who">
          Signed in as <strong>{subject ?? 'a user without a name'}</strong>.
        </output>
      ) : (
        <>
          <label>
            Your access token
            <input
              name="token"
              type="password"
              required
              autoComplete="off"
              autoCapitalize="off"
              spellCheck={false}
              aria-describedby="token-hint"
            />
          </label>
          <button type="submit">Sign in</button>
        </>
      )}
      {token !== undefined && (
        <button
          type="button"
          className="secondary"
          onClick={() => {
            removeToken();
            location.reload();
          }}
        >
          Sign out
        </button>
      )}
      {!isSignedIn && (
        <p className="soft" id="token-hint">
          Paste the token that your administrator or your app gave you. It stays in this tab until
          you close the tab or sign out.
        </p>
      )}
    </form>
  );
}
