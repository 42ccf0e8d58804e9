import { describe, expect, it } from 'vitest';
import { ANONYMOUS, encodeIdentity, UNRESTRICTED } from './identity.ts';
import { createTrustedIdentity, IDENTITY_HEADER, SECRET_HEADER } from './trusted-identity.ts';

const WHO = { subject: 'Siti ✓', scopes: ['orders:read'] };
const believed = createTrustedIdentity(['the new secret', 'the old secret']);
const { ofRequest, ofOperation } = believed;

const headers = (secret?: string, identity = encodeIdentity(WHO)) => ({
  [IDENTITY_HEADER]: identity,
  ...(secret === undefined ? {} : { [SECRET_HEADER]: secret }),
});
const params = (secret: unknown) => ({ gudang: { secret } });
const extensions = { gudang: { identity: WHO } };

it('answers the gateway alone where secrets are set, and everybody where none is', () => {
  const nobodys = createTrustedIdentity();
  for (const secret of ['the new secret', 'the old secret', 'a guess', undefined]) {
    const isOne = secret?.startsWith('the ') ?? false;
    expect(believed.acceptsRequest(headers(secret))).toBe(isOne);
    expect(believed.acceptsConnection(params(secret))).toBe(isOne);
    expect(nobodys.acceptsRequest(headers(secret))).toBe(true);
    expect(nobodys.acceptsConnection(params(secret))).toBe(true);
  }
  expect(believed.acceptsConnection(undefined)).toBe(false);
});

it('is as told beforehand where nothing is said, and nobody where what is said is not proved', () => {
  for (const secrets of [[], ['the new secret']]) {
    const open = createTrustedIdentity(secrets, UNRESTRICTED);
    expect(open.ofRequest({})).toBe(UNRESTRICTED);
    expect(open.ofOperation({}, {})).toBe(UNRESTRICTED);
    expect(open.ofRequest(headers('a guess'))).toBe(ANONYMOUS);
    expect(open.ofOperation(params('a guess'), extensions)).toBe(ANONYMOUS);
  }
});

it('cannot be said to be unrestricted', () => {
  const forged = { ...WHO, unrestricted: true };
  const text = Buffer.from(JSON.stringify(forged)).toString('base64url');
  expect(ofRequest(headers('the new secret', text))).toEqual(WHO);
  expect(ofOperation(params('the new secret'), { gudang: { identity: forged } })).toEqual(WHO);
});

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
    const nobody = createTrustedIdentity();
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
