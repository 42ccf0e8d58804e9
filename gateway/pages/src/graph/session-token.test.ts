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
  const { setToken, tokenToSend, removeToken } = await page();
  expect(tokenToSend()).toBe(null);
  setToken('  Bearer a.b.c ');
  expect(tokenToSend()).toBe('a.b.c');
  vi.resetModules();
  const again = await page();
  expect(again.tokenToSend()).toBe('a.b.c');
  removeToken();
  expect([...stored]).toEqual([]);
});

test('does not send a refused token again', async () => {
  const { setToken, noteRefused, noteTokenWanted, sessionToken, tokenToSend } = await page();
  noteRefused(null, 'no token');
  expect(sessionToken.get()).toEqual({ wanted: false });
  noteTokenWanted();
  setToken('old');
  noteRefused('old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'old', refusal: 'it has expired', wanted: true });
  expect(tokenToSend()).toBe(null);
  setToken('new');
  // This refusal is of the earlier token and arrives late.
  noteRefused('old', 'it has expired');
  expect(sessionToken.get()).toEqual({ token: 'new', wanted: true });
  expect(tokenToSend()).toBe('new');
});

test('reads the subject of a token', async () => {
  const { subjectOf } = await page();
  const token = (claims: object) =>
    `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.y`;
  expect(subjectOf(token({ sub: 'Siti Nurhalizá' }))).toBe('Siti Nurhalizá');
  expect(subjectOf(token({}))).toBeUndefined();
  expect(subjectOf('no token')).toBeUndefined();
});
