import { Kind, parse, print, visit } from 'graphql';

/** What this gateway enforces itself; `@policy`, say, it does not, and Apollo's refusal stands. */
const ENFORCED = /^https:\/\/specs\.apollo\.dev\/(?:authenticated|requiresScopes)\/v0\.1$/;

/**
 * A supergraph as @apollo/gateway takes it: without the mark that `@authenticated` and
 * `@requiresScopes` must be enforced. Whoever takes it out enforces them, see
 * `field-requirements.ts`; Apollo's gateway would refuse the whole supergraph.
 */
export function withoutEnforced(sdl: string): string {
  if (!sdl.includes('SECURITY')) return sdl;
  const document = parse(sdl, { noLocation: true });
  return print(
    visit(document, {
      Directive: (link) => {
        if (link.name.value !== 'link') return undefined;
        const url = link.arguments?.find(({ name }) => name.value === 'url')?.value;
        if (url?.kind !== Kind.STRING || !ENFORCED.test(url.value)) return undefined;
        return { ...link, arguments: link.arguments?.filter(({ name }) => name.value !== 'for') };
      },
    }),
  );
}
