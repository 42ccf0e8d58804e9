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

/** Form to set and remove the token. Hidden when the graph does not require tokens. */
export function TokenForm() {
  const { token, refusal, wanted } = useSignal(sessionToken);
  if (token === undefined && !wanted) return null;
  const subject = token === undefined ? undefined : subjectOf(token);
  const needsToken = token === undefined || refusal !== undefined;
  return (
    <form
      className="token sheet"
      aria-label="Token"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        replaceToken(String(new FormData(form).get('token')));
        form.reset();
      }}
    >
      <label>
        {needsToken ? 'Token' : 'Another token'}
        <input
          name="token"
          type="password"
          required
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          placeholder="eyJ…"
        />
      </label>
      <button type="submit">Use token</button>
      {token !== undefined && (
        <button
          type="button"
          className="secondary"
          onClick={() => {
            removeToken();
            location.reload();
          }}
        >
          Remove token
        </button>
      )}
      <output className="soft">
        {needsToken
          ? 'The token stays in this tab and is deleted when you close it.'
          : `Signed in as ${subject ?? 'an unnamed caller'}.`}
      </output>
    </form>
  );
}
