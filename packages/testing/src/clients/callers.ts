import { signToken, TOKEN_SETTINGS, unsignedToken } from '@gudang/auth/testing';

/** Settings of all processes that accept the tokens of these callers. */
export const SECURED = { ...TOKEN_SETTINGS, SUBGRAPH_SECRET: 'between the services alone' };

const WRITES = 'order:write stock:write';
const SITI = { sub: 'Siti', scope: WRITES };

/** Tokens of the callers; Siti owns the order in the tests. */
const CALLERS = {
  anonymous: () => undefined,
  expired: () => signToken(SITI, { expiresIn: -10 }),
  'wrong signature': () =>
    signToken(SITI, { key: Buffer.from('another secret of 32 characters or so') }),
  'wrong audience': () => signToken({ ...SITI, aud: 'https://another.test' }),
  unsigned: () => unsignedToken(SITI),
  'Siti without scopes': () => signToken({ sub: 'Siti' }),
  'Siti with scopes': () => signToken(SITI),
  'Budi with scopes': () => signToken({ ...SITI, sub: 'Budi' }),
  'Rita with order:read:all': () => signToken({ sub: 'Rita', scope: 'order:read:all' }),
} as const;

export type CallerName = keyof typeof CALLERS;

export const CALLER_NAMES = Object.keys(CALLERS) as CallerName[];

/** Callers whose token is invalid. */
export const INVALID_TOKENS: readonly CallerName[] = [
  'expired',
  'wrong signature',
  'wrong audience',
  'unsigned',
];

export async function authorizationOf(name: CallerName): Promise<string | undefined> {
  const token = await CALLERS[name]();
  return token === undefined ? undefined : `Bearer ${token}`;
}

/** The token or scope that a field or a route requires. */
export type Requirement = 'nothing' | 'a token' | 'order:write' | 'stock:write';

/**
 * Returns `allowed` if a caller may use a field or a route. If not, returns the error code of the
 * refusal.
 */
export function expectedOutcome(
  name: CallerName,
  requirement: Requirement,
): 'allowed' | 'UNAUTHENTICATED' | 'FORBIDDEN' {
  if (INVALID_TOKENS.includes(name)) return 'UNAUTHENTICATED';
  if (requirement === 'nothing') return 'allowed';
  if (name === 'anonymous') return 'UNAUTHENTICATED';
  return requirement === 'a token' || name.endsWith('with scopes') ? 'allowed' : 'FORBIDDEN';
}

/** Returns whether a caller with a valid token may see Siti's orders. */
export function maySeeSitisOrder(name: CallerName): boolean {
  return name.startsWith('Siti') || name === 'Rita with order:read:all';
}
