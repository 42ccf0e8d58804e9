import { describe, expect, it } from 'vitest';
import { createBelievedIdentity, IDENTITY_HEADER, SECRET_HEADER } from './believed-identity.ts';
import { ANONYMOUS, encodeIdentity } from './identity.ts';

const WHO = { subject: 'Siti ✓', scopes: ['orders:read'] };
const { ofRequest, ofOperation } = createBelievedIdentity(['the new secret', 'the old secret']);

const headers = (secret?: string, identity = encodeIdentity(WHO)) => ({
  [IDENTITY_HEADER]: identity,
  ...(secret === undefined ? {} : { [SECRET_HEADER]: secret }),
});
const params = (secret: unknown) => ({ gudang: { secret } });
const extensions = { gudang: { identity: WHO } };

describe('who asks', () => {
  it.each(['the new secret', 'the old secret'])('is believed beside %s', (secret) => {
    expect(ofRequest(headers(secret))).toEqual(WHO);
    expect(ofOperation(params(secret), extensions)).toEqual(WHO);
  });

  it.each([undefined, '', 'the new secre', 'another'])('is not believed beside %s', (secret) => {
    expect(ofRequest(headers(secret))).toBe(ANONYMOUS);
    expect(ofOperation(params(secret), extensions)).toBe(ANONYMOUS);
  });

  it('is not believed where no secret is set', () => {
    const nobody = createBelievedIdentity();
    expect(nobody.ofRequest(headers(''))).toBe(ANONYMOUS);
    expect(nobody.ofOperation(params(''), extensions)).toBe(ANONYMOUS);
    expect(nobody.ofOperation(params(undefined), extensions)).toBe(ANONYMOUS);
  });

  it.each([
    undefined,
    null,
    'x',
    { gudang: null },
    { gudang: { identity: { scopes: 'all' } } },
    { gudang: { identity: { scopes: [7] } } },
  ])('is anonymous when %j is said', (said) => {
    expect(ofOperation(params('the new secret'), said)).toBe(ANONYMOUS);
  });

  it.each(['', 'no base64 at all', Buffer.from('{').toString('base64url')])(
    'is anonymous with the header %j',
    (text) => expect(ofRequest(headers('the new secret', text))).toBe(ANONYMOUS),
  );
});
