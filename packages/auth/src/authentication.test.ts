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
  info: (...args: unknown[]) => void logged.push(String(args.at(-1))),
  warn: (...args: unknown[]) => void logged.push(String(args.at(-1))),
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

describe('createAuthentication without keys', () => {
  it('gives every caller full access and logs that authentication is disabled', async () => {
    const auth = start({});
    expect(auth.on).toBe(false);
    for (const given of [undefined, 'Bearer nonsense', bearer(await signToken(SITI))]) {
      expect((await auth.authenticate(given)).identity).toBe(UNRESTRICTED);
    }
    expect(logged).toEqual([
      'Authentication is disabled: every caller from 127.0.0.1 has full access. Set JWT_JWKS_URL or JWT_SECRET to enable it',
    ]);
    start({ AUTH: 'off', HOST: '0.0.0.0' });
    expect(logged[1]).toContain('every caller has full access');
  });
});

describe('createAuthentication with a secret', () => {
  const auth = start(TOKEN_SETTINGS);

  it('returns the principal of a valid token, and an anonymous caller if no token is sent', async () => {
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

  it('accepts each configured audience', async () => {
    const two = start({ ...TOKEN_SETTINGS, JWT_AUDIENCE: `other, ${AUDIENCE}` });
    for (const aud of ['other', AUDIENCE, ['x', 'other']]) {
      expect((await two.authenticate(await signToken({ ...SITI, aud }))).identity.subject).toBe(
        'Siti',
      );
    }
  });

  it('accepts tokens signed with the old or the new secret during a rotation', async () => {
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
    ['has expired', 'it has expired; get a fresh one', () => signToken(SITI, { expiresIn: -1 })],
    ['has no expiry', 'it has no expiry', () => signToken(SITI, { expiresIn: null })],
    ['is not valid yet', 'it is not valid yet', () => signToken({ ...SITI, nbf: Date.now() })],
    ['has another issuer', 'it has another issuer', () => signToken({ ...SITI, iss: 'x' })],
    ['has an empty issuer', 'it has another issuer', () => signToken({ sub: 'x', iss: '' })],
    ['has another audience', 'another audience', () => signToken({ ...SITI, aud: 'x' })],
    ['has no subject', 'its subject must', () => signToken({ scope: 'stock:write' })],
    ['has an empty subject', 'its subject must', () => signToken({ sub: '' })],
    ['has a subject with NUL', 'its subject must', () => signToken({ sub: 'a\0b' })],
    [
      'has a subject with half a surrogate pair',
      'its subject must',
      () => signToken({ sub: 'a\ud800' }),
    ],
    [
      'has a subject that is too long',
      'its subject must',
      () => signToken({ sub: 'x'.repeat(256) }),
    ],
    [
      'has a wrong signature',
      'its signature is wrong',
      () => signToken(SITI, { key: Buffer.from('x'.repeat(32)) }),
    ],
    ['is unsigned', 'its algorithm is not allowed', () => unsignedToken(SITI)],
    [
      'has another algorithm',
      'its algorithm is not allowed',
      () => signToken(SITI, { alg: 'HS512' }),
    ],
    ['is not a token', 'it is not a JSON web token', () => 'nonsense'],
    ['has three parts but no JSON', 'it is not a JSON web token', () => 'a.b.c'],
    [
      'has another authorization scheme',
      'send it as "Authorization: Bearer <token>"',
      () => 'Basic dXNlcjpwYXNz',
    ],
    ['is too long', 'it is longer than 8192 characters', () => 'x'.repeat(9000)],
  ])('rejects a token that %s', async (_what, reason, make) => {
    const given = await make();
    await expect(async () => auth.authenticate(given)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining(reason),
    });
  });

  it.each([
    [
      'verified',
      () => signToken(SITI, { key: Buffer.from('x'.repeat(32)) }),
      'its signature is wrong',
    ],
    ['too long', () => 'x'.repeat(9000), 'it is longer than 8192 characters'],
    ['malformed', () => 'Basic dXNlcjpwYXNz', 'send it as "Authorization: Bearer <token>"'],
  ])(
    'logs the reason of a refused token that is %s, but not the token',
    async (_what, make, reason) => {
      const own = start(TOKEN_SETTINGS);
      const given = await make();
      for (const _attempt of [1, 2])
        await expect(async () => own.authenticate(given)).rejects.toThrow(reason);
      expect(logged).toEqual([`Refused a request: The token is invalid: ${reason}`]);
    },
  );

  it('rejects a cached token after its expiry', async () => {
    const token = await signToken(SITI, { expiresIn: 100 });
    expect(await auth.authenticate(token)).toBe(auth.authenticate(token));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 101_000 });
    await expect(async () => auth.authenticate(token)).rejects.toThrow('it has expired');
  });

  it('accepts an expired token within the clock tolerance', async () => {
    const tolerant = start({ ...TOKEN_SETTINGS, JWT_CLOCK_TOLERANCE_S: '30' });
    const token = await signToken(SITI, { expiresIn: -20 });
    const { expiresAt } = await tolerant.authenticate(token);
    expect(expiresAt).toBeGreaterThan(Date.now());
    const old = await signToken(SITI, { expiresIn: -31 });
    await expect(async () => tolerant.authenticate(old)).rejects.toThrow('it has expired');
  });
});

describe('createAuthentication with published keys', () => {
  const withIssuer = async () => {
    const issuer = await startIssuer();
    const auth = start({
      JWT_JWKS_URL: issuer.url,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
    });
    return { issuer, auth, [Symbol.asyncDispose]: issuer.stop };
  };

  it('fetches the keys once, and fetches them again for a token with a new key', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    for (const sub of ['a', 'b', 'c']) {
      expect((await auth.authenticate(await issuer.sign({ sub }))).identity.subject).toBe(sub);
    }
    expect(issuer.fetches()).toBe(1);
    await issuer.changeKeys();
    const token = await issuer.sign(SITI);
    // Keys are fetched at most every 30 seconds, so that tokens with forged key ids cannot flood the
    // issuer with requests.
    await expect(async () => auth.authenticate(token)).rejects.toThrow('does not publish its key');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect((await auth.authenticate(token)).identity.subject).toBe('Siti');
    expect(issuer.fetches()).toBe(2);
  });

  it('continues to use the fetched keys while the issuer is unavailable', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    await auth.authenticate(await issuer.sign({ sub: 'before' }));
    issuer.setAvailable(false);
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: Date.now() + 20 * 60_000 });
    vi.advanceTimersByTime(20 * 60_000);
    const later = await issuer.sign({ sub: 'later' });
    expect((await auth.authenticate(later)).identity.subject).toBe('later');
    vi.useRealTimers();
    await vi.waitFor(() =>
      expect(logged).toEqual([
        'The issuer’s keys cannot be fetched; the keys fetched before remain in use. Retrying',
      ]),
    );
  });

  it('throws UNAVAILABLE until the keys have been fetched once', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    issuer.setAvailable(false);
    const token = await issuer.sign(SITI);
    await expect(async () => auth.authenticate(token)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
    issuer.setAvailable(true);
    expect((await auth.authenticate(token)).identity.subject).toBe('Siti');
  });

  it('throws UNAVAILABLE if the issuer publishes too many bytes or keys', async () => {
    await using rig = await withIssuer();
    const { issuer, auth } = rig;
    const token = await issuer.sign(SITI);
    const key = await issuer.key();
    const others = Array.from({ length: 100 }, (_, n) => ({ ...key, kid: `other ${n}` }));
    for (const published of [
      JSON.stringify({ keys: [key], padding: 'x'.repeat(256 * 1024) }),
      JSON.stringify({ keys: [key, ...others] }),
      'nonsense',
      'null',
    ]) {
      issuer.publish(published);
      await expect(async () => auth.authenticate(token)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
    }
    issuer.publish(JSON.stringify({ keys: [key, ...others.slice(1)] }));
    expect((await auth.authenticate(token)).identity.subject).toBe('Siti');
  });

  it('rejects a token whose HMAC secret is the public key', async () => {
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
      'its algorithm is not allowed',
    );
  });
});
