import { beforeEach, expect, test, vi } from 'vitest';

const stored = new Map<string, string>();
vi.stubGlobal('sessionStorage', {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => stored.set(key, value),
  removeItem: (key: string) => stored.delete(key),
});
const page = () => import('./session-token.ts');
beforeEach(() => {
  stored.clear();
  vi.resetModules();
});

test('stores a token for the tab and accepts it with or without `Bearer`', async () => {
  const { setToken, authorization, removeToken } = await page();
  expect(authorization()).toEqual({});
  setToken('  Bearer a.b.c ');
  expect(authorization()).toEqual({ authorization: 'Bearer a.b.c' });
  vi.resetModules();
  const again = await page();
  expect(again.authorization()).toEqual({ authorization: 'Bearer a.b.c' });
  removeToken();
  expect([...stored]).toEqual([]);
});

test('distinguishes a missing token from a refused one', async () => {
  const { setToken, noteUnauthenticated, sessionToken } = await page();
  noteUnauthenticated(undefined, 'Query.orders needs a token');
  expect(sessionToken.get()).toEqual({ wanted: true });
  setToken('old');
  noteUnauthenticated('Bearer old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'old', refusal: 'it has expired', wanted: true });
  setToken('new');
  // This answer belongs to the earlier token and arrives late.
  noteUnauthenticated('Bearer old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'new', wanted: true });
});

test('waits for another token after a refusal', async () => {
  const { setToken, noteUnauthenticated, usableToken } = await page();
  await usableToken();
  setToken('old');
  noteUnauthenticated('Bearer old', 'no');
  let waited = false;
  const waiting = usableToken().then(() => {
    waited = true;
  });
  await Promise.resolve();
  expect(waited).toBe(false);
  setToken('new');
  await waiting;
});

test('reads the subject of a token', async () => {
  const { subjectOf } = await page();
  const token = (claims: object) =>
    `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(subjectOf(token({ sub: 'Siti Nurhalizá' }))).toBe('Siti Nurhalizá');
  expect(subjectOf(token({}))).toBeUndefined();
  expect(subjectOf('no token')).toBeUndefined();
});
