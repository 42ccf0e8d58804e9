import { describe, expect, it } from 'vitest';
import { createAllowedOrigins } from './allowed-origins.ts';

const SHOP = 'https://shop.example';
const STUDIO = 'https://studio.apollographql.com';

describe('createAllowedOrigins', () => {
  const { allows, lists } = createAllowedOrigins([SHOP], false);

  it.each([
    ['a client that is not a browser', {}, true],
    ['a listed page', { origin: SHOP }, true],
    ['its own page', { origin: 'http://127.0.0.1:4000', host: '127.0.0.1:4000' }, true],
    ['its own page behind TLS', { origin: 'https://api.example', host: 'API.example' }, true],
    [
      'its own page behind a proxy that names the default port',
      { origin: 'https://shop2.example', host: 'shop2.example:443' },
      true,
    ],
    [
      'its own page without TLS behind such a proxy',
      { origin: 'http://shop2.example', host: 'Shop2.example:80' },
      true,
    ],
    [
      'the default port of another scheme',
      { origin: 'https://shop2.example', host: 'shop2.example:80' },
      false,
    ],
    ['another scheme than HTTP', { origin: 'app://api.example', host: 'api.example' }, false],
    ['a malformed origin', { origin: 'https://', host: '' }, false],
    ['its own page, by GET', { host: 'api.example', 'sec-fetch-site': 'same-origin' }, true],
    ['a typed address', { 'sec-fetch-site': 'none' }, true],
    ['another page', { origin: 'https://evil.example', host: 'api.example' }, false],
    ['another port', { origin: 'http://127.0.0.1:3000', host: '127.0.0.1:4000' }, false],
    ['a page whose origin has the same prefix', { origin: `${SHOP}.evil.example` }, false],
    ['a listed page without TLS', { origin: 'http://shop.example' }, false],
    ['a page without origin', { origin: 'null', host: 'api.example' }, false],
    ['another page, by GET', { 'sec-fetch-site': 'cross-site' }, false],
    ['another subdomain of the same site, by GET', { 'sec-fetch-site': 'same-site' }, false],
    ["Apollo's Sandbox where it is off", { origin: STUDIO, host: 'api.example' }, false],
  ])(
    'decides on a request from %s with the headers %j; allowed: %s',
    (_what, headers, expected) => {
      expect(allows(headers)).toBe(expected);
    },
  );

  it('allows only listed origins to read answers', () => {
    expect(lists(SHOP)).toBe(true);
    expect(lists('http://127.0.0.1:4000')).toBe(false);
  });

  it("allows Apollo's Sandbox if it is on, and every origin if * is listed", () => {
    expect(createAllowedOrigins([], true).allows({ origin: STUDIO })).toBe(true);
    const all = createAllowedOrigins(['*'], false);
    expect(all.lists('https://any.example')).toBe(true);
    expect(all.allows({ 'sec-fetch-site': 'cross-site' })).toBe(true);
  });
});
