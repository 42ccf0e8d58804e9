import { signToken, unsignedToken } from '@gudang/auth/testing';
import { type FuzzCase, judgeAnswer } from '../case.ts';
import { anyJson, anyText, mutateText } from '../values.ts';

const encoded = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

/** Requests with invalid, foreign or damaged tokens, or with valid tokens that have random claims. */
export const tokens: FuzzCase = async (random, { system, authorization }) => {
  const valid = authorization.slice('Bearer '.length);
  const shown = await random.pick<() => string | Promise<string>>([
    () => mutateText(random, valid),
    () => unsignedToken({ sub: 'Siti', scope: 'stock:write' }),
    () => `${encoded(anyJson(random, 2))}.${encoded(anyJson(random, 2))}.${anyText(random, 20)}`,
    () =>
      `${encoded({ alg: random.pick(['none', 'HS256', 'RS256', 'dir', 'x']), typ: 'JWT', kid: anyText(random), jwk: anyJson(random, 2), crit: ['x'] })}.${valid.split('.').slice(1).join('.')}`,
    () => signToken({ sub: anyText(random) || 'x', scope: anyText(random) }),
    () => anyText(random, 200),
    () => 'e'.repeat(random.between(1, 6_000)),
  ])();
  const header = `${random.pick(['Bearer ', 'bearer ', 'Basic ', ''])}${shown}`.replace(
    /[^\x20-\x7e]/g,
    '',
  );
  const [url, body] = random.pick([
    [`${system.gateway.url}/graphql`, '{"query":"{ orders(first: 1) { nodes { id } } }"}'],
    [`${system.stock.url}/stock/add-stock`, '{"name":"fuzz","quantity":1}'],
    [`${system.stock.url}/graphql`, '{"query":"{ stocks(first: 1) { nodes { id } } }"}'],
  ] as const);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: header,
      ...(random.chance(0.3)
        ? {
            'gudang-identity': encoded(anyJson(random, 2)),
            'gudang-secret': anyText(random, 20).replace(/[^\x21-\x7e]/g, ''),
          }
        : {}),
    },
    body,
  });
  return judgeAnswer(response.status, await response.text());
};
