import { describe, expect, it } from 'vitest';
import { ANONYMOUS, encodeIdentity, UNRESTRICTED } from './identity.ts';
import { createTrustedIdentity, IDENTITY_HEADER, SECRET_HEADER } from './trusted-identity.ts';

const WHO = { subject: 'Siti ✓', scopes: ['orders:read'] };
const trusted = createTrustedIdentity(['the new secret', 'the old secret']);
const { identityOfRequest, identityOfOperation } = trusted;

const headers = (secret?: string, identity = encodeIdentity(WHO)) => ({
  [IDENTITY_HEADER]: identity,
  ...(secret === undefined ? {} : { [SECRET_HEADER]: secret }),
});
const params = (secret: unknown) => ({ gudang: { secret } });
const extensions = { gudang: { identity: WHO } };

it('accepts only the gateway’s requests if secrets are set, but all requests if no secret is set', () => {
  const withoutSecrets = createTrustedIdentity();
  for (const secret of ['the new secret', 'the old secret', 'a guess', undefined]) {
    const isGateway = secret?.startsWith('the ') ?? false;
    expect(trusted.acceptsRequest(headers(secret))).toBe(isGateway);
    expect(trusted.acceptsConnection(params(secret))).toBe(isGateway);
    expect(withoutSecrets.acceptsRequest(headers(secret))).toBe(true);
    expect(withoutSecrets.acceptsConnection(params(secret))).toBe(true);
  }
  expect(trusted.acceptsConnection(undefined)).toBe(false);
});

it('returns the default identity if none is sent, and the anonymous identity if the sent identity is not trusted', () => {
  for (const secrets of [[], ['the new secret']]) {
    const open = createTrustedIdentity(secrets, UNRESTRICTED);
    expect(open.identityOfRequest({})).toBe(UNRESTRICTED);
    expect(open.identityOfOperation({}, {})).toBe(UNRESTRICTED);
    expect(open.identityOfRequest(headers('a guess'))).toBe(ANONYMOUS);
    expect(open.identityOfOperation(params('a guess'), extensions)).toBe(ANONYMOUS);
  }
});

it('ignores a sent `unrestricted`', () => {
  const forged = { ...WHO, unrestricted: true };
  const text = Buffer.from(JSON.stringify(forged)).toString('base64url');
  expect(identityOfRequest(headers('the new secret', text))).toEqual(WHO);
  expect(identityOfOperation(params('the new secret'), { gudang: { identity: forged } })).toEqual(
    WHO,
  );
});

describe('the sent identity', () => {
  it.each(['the new secret', 'the old secret'])('is trusted with the secret %s', (secret) => {
    expect(identityOfRequest(headers(secret))).toEqual(WHO);
    expect(identityOfOperation(params(secret), extensions)).toEqual(WHO);
  });

  it.each([undefined, '', 'the new secre', 'another'])(
    'is not trusted with the secret %s',
    (secret) => {
      expect(identityOfRequest(headers(secret))).toBe(ANONYMOUS);
      expect(identityOfOperation(params(secret), extensions)).toBe(ANONYMOUS);
    },
  );

  it('is not trusted if no secret is set', () => {
    const withoutSecrets = createTrustedIdentity();
    expect(withoutSecrets.identityOfRequest(headers(''))).toBe(ANONYMOUS);
    expect(withoutSecrets.identityOfOperation(params(''), extensions)).toBe(ANONYMOUS);
    expect(withoutSecrets.identityOfOperation(params(undefined), extensions)).toBe(ANONYMOUS);
  });

  it.each([
    undefined,
    null,
    'x',
    { gudang: null },
    { gudang: { identity: { scopes: 'all' } } },
    { gudang: { identity: { scopes: [7] } } },
  ])('is anonymous for the extensions %j', (sent) => {
    expect(identityOfOperation(params('the new secret'), sent)).toBe(ANONYMOUS);
  });

  it.each(['', 'no base64 at all', Buffer.from('{').toString('base64url')])(
    'is anonymous for the header %j',
    (text) => expect(identityOfRequest(headers('the new secret', text))).toBe(ANONYMOUS),
  );
});
