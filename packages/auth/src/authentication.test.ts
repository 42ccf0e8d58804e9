import { createHmac } from 'node:crypto';
import { readSettings } from '@gudang/runtime/settings';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthentication } from './authentication.ts';
import { ANONYMOUS, UNRESTRICTED } from './identity/identity.ts';
import { identitySettings, protectedHttpSettings } from './settings.ts';
import {
  AUDIENCE,
  ISSUER,
  signToken,
  startIssuer,
  TOKEN_SETTINGS,
  unsignedToken,
} from './testing/sign-token.ts';

const logged: string[] = [];
const log = {
  info: (...said: unknown[]) => void logged.push(String(said.at(-1))),
  warn: (...said: unknown[]) => void logged.push(String(said.at(-1))),
};
const table = { ...protectedHttpSettings(4000), ...identitySettings };
const start = (environment: Record<string, string>) =>
  createAuthentication(
    readSettings(table, { SUBGRAPH_SECRET: 'between the services', ...environment }),
    log as never,
  );
const bearer = (token: string): string => `Bearer ${token}`;
const SITI = { sub: 'Siti', scope: 'order:write stock:write' };

beforeEach(() => void logged.splice(0));
afterEach(() => void vi.useRealTimers());

describe('without auth', () => {
  it('lets everybody do everything, and says so', async () => {
    const auth = start({});
    expect(auth.on).toBe(false);
    for (const given of [undefined, 'Bearer nonsense', bearer(await signToken(SITI))]) {
      expect((await auth.authenticate(given)).identity).toBe(UNRESTRICTED);
    }
    expect(logged).toEqual([
      'no auth is set: whoever reaches 127.0.0.1 may do everything; JWT_JWKS_URL or JWT_SECRET sets it',
    ]);
    start({ AUTH: 'off', HOST: '0.0.0.0' });
    expect(logged[1]).toContain('whoever reaches it may do everything');
  });
});

describe('with a secret', () => {
  const auth = start(TOKEN_SETTINGS);

  it('knows whoever shows a good token, and nobody without one', async () => {
    expect(auth.on).toBe(true);
    expect((await auth.authenticate(undefined)).identity).toBe(ANONYMOUS);
    expect((await auth.authenticate('')).identity).toBe(ANONYMOUS);
    const token = await signToken(SITI);
    for (const given of [bearer(token), `bearer   ${token}`, token]) {
      const { identity, expiresAt } = await auth.authenticate(given);
      expect(identity).toEqual({ subject: 'Siti', scopes: ['order:write', 'stock:write'] });
      expect(expiresAt / 1000).toBeCloseTo(Date.now() / 1000 + 3600, -1);
    }
    expect(logged).toEqual([]);
  });

  it.each([
    [{ scope: 'b a b' }, ['a', 'b']],
    [{ scp: ['b', 'a', 7] }, ['a', 'b']],
    [{ scope: 'a', scp: 'b' }, ['a', 'b']],
    [{}, []],
  ])('reads scopes from %j', async (claims, scopes) => {
    const token = await signToken({ sub: 'x', ...claims });
    expect((await auth.authenticate(token)).identity).toEqual({ subject: 'x', scopes });
  });

  it('takes any of its audiences', async () => {
    const two = start({ ...TOKEN_SETTINGS, JWT_AUDIENCE: `other, ${AUDIENCE}` });
    for (const aud of ['other', AUDIENCE, ['x', 'other']]) {
      expect((await two.authenticate(await signToken({ ...SITI, aud }))).identity.subject).toBe(
        'Siti',
      );
    }
  });

  it('takes tokens of both secrets while one is changed', async () => {
    const changing = start({
      ...TOKEN_SETTINGS,
      JWT_SECRET: `${'n'.repeat(32)},${TOKEN_SETTINGS.JWT_SECRET}`,
    });
    for (const key of [undefined, Buffer.from('n'.repeat(32))]) {
      const token = await signToken(SITI, key ? { key } : {});
      expect((await changing.authenticate(token)).identity.subject).toBe('Siti');
    }
    const other = await signToken(SITI, { key: Buffer.from('x'.repeat(32)) });
    await expect(async () => changing.authenticate(other)).rejects.toThrow('signature');
  });

  it.each<[string, string, () => string | Promise<string>]>([
    ['expired', 'it has expired; get a fresh one', () => signToken(SITI, { expiresIn: -1 })],
    ['without expiry', 'it has no expiry', () => signToken(SITI, { expiresIn: null })],
    ['not valid yet', 'it is not valid yet', () => signToken({ ...SITI, nbf: Date.now() })],
    ['of another issuer', 'it is of another issuer', () => signToken({ ...SITI, iss: 'x' })],
    ['of no issuer', 'it is of another issuer', () => signToken({ sub: 'x', iss: '' })],
    ['for another audience', 'another audience', () => signToken({ ...SITI, aud: 'x' })],
    ['without subject', 'it names no subject', () => signToken({ scope: 'stock:write' })],
    ['of an empty subject', 'it names no subject', () => signToken({ sub: '' })],
    ['of a subject that no column takes', 'no subject', () => signToken({ sub: 'a\0b' })],
    ['of too long a subject', 'no subject', () => signToken({ sub: 'x'.repeat(256) })],
    [
      'of a wrong signature',
      'its signature is not right',
      () => signToken(SITI, { key: Buffer.from('x'.repeat(32)) }),
    ],
    ['unsigned', 'an algorithm that is not allowed', () => unsignedToken(SITI)],
    [
      'of another algorithm',
      'an algorithm that is not allowed',
      () => signToken(SITI, { alg: 'HS512' }),
    ],
    ['no token', 'it is no JSON web token that can be read', () => 'nonsense'],
    ['nearly one', 'it is no JSON web token that can be read', () => 'a.b.c'],
    ['two words', 'send it as "Authorization: Bearer <token>"', () => 'Basic dXNlcjpwYXNz'],
    ['too long', 'it is longer than 8192 characters', () => 'x'.repeat(9000)],
  ])('refuses one that is %s', async (_what, reason, make) => {
    const given = await make();
    await expect(async () => auth.authenticate(given)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining(reason),
    });
  });

  it('refuses a token that it knows once it has expired', async () => {
    const token = await signToken(SITI, { expiresIn: 100 });
    expect(await auth.authenticate(token)).toBe(auth.authenticate(token));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 101_000 });
    await expect(async () => auth.authenticate(token)).rejects.toThrow('it has expired');
  });

  it('takes one for as long as clocks may differ', async () => {
    const patient = start({ ...TOKEN_SETTINGS, JWT_CLOCK_TOLERANCE_S: '30' });
    const token = await signToken(SITI, { expiresIn: -20 });
    const { expiresAt } = await patient.authenticate(token);
    expect(expiresAt).toBeGreaterThan(Date.now());
    const old = await signToken(SITI, { expiresIn: -31 });
    await expect(async () => patient.authenticate(old)).rejects.toThrow('it has expired');
  });
});

describe('with an issuer that publishes its keys', () => {
  const withIssuer = async () => {
    const issuer = await startIssuer();
    const auth = start({
      JWT_JWKS_URL: issuer.url,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
    });
    return { issuer, auth, [Symbol.asyncDispose]: issuer.stop };
  };

  it('fetches them once, and again when a token names a new one', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    for (const sub of ['a', 'b', 'c']) {
      expect((await auth.authenticate(await issuer.sign({ sub }))).identity.subject).toBe(sub);
    }
    expect(issuer.fetches()).toBe(1);
    await issuer.changeKeys();
    const token = await issuer.sign(SITI);
    // At most each half minute, so that forged names are no flood.
    await expect(async () => auth.authenticate(token)).rejects.toThrow('no key that the issuer');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect((await auth.authenticate(token)).identity.subject).toBe('Siti');
    expect(issuer.fetches()).toBe(2);
  });

  it('goes on with those that it knows while the issuer is away', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    await auth.authenticate(await issuer.sign({ sub: 'before' }));
    issuer.setAway(true);
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() + 20 * 60_000 });
    vi.advanceTimersByTime(20 * 60_000);
    const later = await issuer.sign({ sub: 'later' });
    expect((await auth.authenticate(later)).identity.subject).toBe('later');
    vi.useRealTimers();
    await vi.waitFor(() =>
      expect(logged).toEqual([
        'the keys of tokens cannot be fetched again: the known ones serve on',
      ]),
    );
  });

  it('says that it cannot tell while it has had no keys, and tells once it has', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    issuer.setAway(true);
    const token = await issuer.sign(SITI);
    await expect(async () => auth.authenticate(token)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    issuer.setAway(false);
    expect((await auth.authenticate(token)).identity.subject).toBe('Siti');
  });

  it('never takes a public key for a secret', async () => {
    await using rig = await withIssuer();
    const { kid, ...published } = await rig.issuer.key();
    const [head, body] = [
      { alg: 'HS256', kid },
      { iss: ISSUER, aud: AUDIENCE, exp: 9_999_999_999, sub: 'x' },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
    const signature = createHmac('sha256', JSON.stringify(published))
      .update(`${head}.${body}`)
      .digest('base64url');
    await expect(async () => rig.auth.authenticate(`${head}.${body}.${signature}`)).rejects.toThrow(
      'an algorithm that is not allowed',
    );
  });
});
