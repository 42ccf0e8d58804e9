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

test('a token is kept for the tab, with or without the word before it', async () => {
  const { giveToken, authorization, forgetToken } = await page();
  expect(authorization()).toEqual({});
  giveToken('  Bearer a.b.c ');
  expect(authorization()).toEqual({ authorization: 'Bearer a.b.c' });
  vi.resetModules();
  const again = await page();
  expect(again.authorization()).toEqual({ authorization: 'Bearer a.b.c' });
  forgetToken();
  expect([...stored]).toEqual([]);
});

test('what needs a token is told apart from a token that is refused', async () => {
  const { giveToken, noteUnauthenticated, sessionToken } = await page();
  noteUnauthenticated(undefined, 'Query.orders needs a token');
  expect(sessionToken.get()).toEqual({ wanted: true });
  giveToken('old');
  noteUnauthenticated('Bearer old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'old', refusal: 'it has expired', wanted: true });
  giveToken('new');
  // An answer to the earlier one comes late.
  noteUnauthenticated('Bearer old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'new', wanted: true });
});

test('whoever waits for another token gets it', async () => {
  const { giveToken, noteUnauthenticated, anotherToken } = await page();
  await anotherToken();
  giveToken('old');
  noteUnauthenticated('Bearer old', 'no');
  let waited = false;
  const waiting = anotherToken().then(() => {
    waited = true;
  });
  await Promise.resolve();
  expect(waited).toBe(false);
  giveToken('new');
  await waiting;
});

test('a token says whose it is', async () => {
  const { subjectOf } = await page();
  const token = (claims: object) =>
    `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(subjectOf(token({ sub: 'Siti Nurhalizá' }))).toBe('Siti Nurhalizá');
  expect(subjectOf(token({}))).toBeUndefined();
  expect(subjectOf('no token')).toBeUndefined();
});
