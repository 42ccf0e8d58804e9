import { signToken, TOKEN_SETTINGS, unsignedToken } from '@gudang/service/test-tokens';

/** Settings of all processes with which callers show tokens of `callers`. */
export const SECURED = { ...TOKEN_SETTINGS, SUBGRAPH_SECRET: 'between the services alone' };

const WRITES = 'order:write stock:write';
const SITI = { sub: 'Siti', scope: WRITES };

/** What somebody shows, as a header; Siti is the one who has ordered. */
const CALLERS = {
  nobody: () => undefined,
  expired: () => signToken(SITI, { expiresIn: -10 }),
  'of a wrong signature': () =>
    signToken(SITI, { key: Buffer.from('another secret of 32 letters or so') }),
  'for another audience': () => signToken({ ...SITI, aud: 'https://another.test' }),
  unsigned: () => unsignedToken(SITI),
  'Siti without scopes': () => signToken({ sub: 'Siti' }),
  'Siti with scopes': () => signToken(SITI),
  'Budi with scopes': () => signToken({ ...SITI, sub: 'Budi' }),
  'Rita who reads all': () => signToken({ sub: 'Rita', scope: 'order:read:all' }),
} as const;

export type CallerName = keyof typeof CALLERS;

export const CALLER_NAMES = Object.keys(CALLERS) as CallerName[];

/** Those whose token is no good. */
export const NOT_LET_IN: readonly CallerName[] = [
  'expired',
  'of a wrong signature',
  'for another audience',
  'unsigned',
];

export async function authorizationOf(name: CallerName): Promise<string | undefined> {
  const token = await CALLERS[name]();
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** What a field or a route needs of whoever wants it. */
export type Need = 'nothing' | 'a token' | 'order:write' | 'stock:write';

/** How far somebody gets with what needs this: in, or refused with a code. */
export function admission(name: CallerName, need: Need): 'in' | 'UNAUTHENTICATED' | 'FORBIDDEN' {
  if (NOT_LET_IN.includes(name)) return 'UNAUTHENTICATED';
  if (need === 'nothing') return 'in';
  if (name === 'nobody') return 'UNAUTHENTICATED';
  return need === 'a token' || name.endsWith('with scopes') ? 'in' : 'FORBIDDEN';
}

/** Whether somebody who is let in sees an order of Siti's. */
export function seesSitisOrder(name: CallerName): boolean {
  return name.startsWith('Siti') || name === 'Rita who reads all';
}
