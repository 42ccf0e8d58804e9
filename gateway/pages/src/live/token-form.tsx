import { useSignal } from './use-signal.ts';
import { forgetToken, giveToken, sessionToken, subjectOf } from '../graph/session-token.ts';

/** Another person's token: what is on the page is not theirs to see, so it begins anew. */
function use(text: string): void {
  const { token: before } = sessionToken.get();
  giveToken(text);
  const { token: now } = sessionToken.get();
  const isAnother =
    before !== undefined && now !== undefined && subjectOf(before) !== subjectOf(now);
  if (isAnother) location.reload();
}

/** Where a token is given, and what becomes of it; of no use, and so not there, where nobody asks for one. */
export function TokenForm() {
  const { token, refusal, wanted } = useSignal(sessionToken);
  if (token === undefined && !wanted) return null;
  const subject = token === undefined ? undefined : subjectOf(token);
  return (
    <form
      className="token sheet"
      aria-label="Token"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        use(String(new FormData(form).get('token')));
        form.reset();
      }}
    >
      <label>
        {token === undefined || refusal !== undefined ? 'Token' : 'Another token'}
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
      <button type="submit">Use it</button>
      {token !== undefined && (
        <button
          type="button"
          className="secondary"
          onClick={() => {
            forgetToken();
            location.reload();
          }}
        >
          Forget it
        </button>
      )}
      <output className="soft">
        {token === undefined || refusal !== undefined
          ? 'Kept in this tab alone, until it is closed.'
          : `This page shows the token of ${subject ?? 'somebody'}.`}
      </output>
    </form>
  );
}
