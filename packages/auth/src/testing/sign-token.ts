import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export const ISSUER = 'https://login.test/';
export const AUDIENCE = 'https://graph.test';
export const TOKEN_SECRET = 'a secret for tokens of at least 32 characters';

/** Settings with which tokens of `signToken` are valid. */
export const TOKEN_SETTINGS = {
  JWT_SECRET: TOKEN_SECRET,
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  JWT_CLOCK_TOLERANCE_S: '0',
} as const;

/** Signs a token. @param expiresIn lifetime of the token, in seconds. Default: one hour */
export function signToken(
  claims: JWTPayload,
  {
    key = new TextEncoder().encode(TOKEN_SECRET),
    alg = 'HS256',
    kid,
    expiresIn = 3600,
  }: {
    key?: Uint8Array | CryptoKey;
    alg?: string;
    kid?: string;
    /** Null: no expiry. */
    expiresIn?: number | null;
  } = {},
): Promise<string> {
  const exp = expiresIn === null ? {} : { exp: Math.floor(Date.now() / 1000) + expiresIn };
  const payload = { iss: ISSUER, aud: AUDIENCE, ...exp, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(key);
}

/** Returns an unsigned token, with `alg: none`. */
export function unsignedToken(claims: JWTPayload): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const parts = [
    { alg: 'none', typ: 'JWT' },
    { iss: ISSUER, aud: AUDIENCE, exp, ...claims },
  ];
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
}

/** Starts an issuer that publishes keys, can become unavailable, and can change its keys. */
export async function startIssuer(alg = 'ES256') {
  let pair = await generateKeyPair(alg);
  let kid = 'k1';
  let fetches = 0;
  let isAvailable = true;
  let published: string | undefined;
  const key = async () => ({ ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' });
  const server = createServer(async (_request, response) => {
    fetches += 1;
    if (!isAvailable) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(published ?? JSON.stringify({ keys: [await key()] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    /** Returns the published key. */
    key,
    sign: (claims: JWTPayload) => signToken(claims, { key: pair.privateKey, alg, kid }),
    fetches: () => fetches,
    setAvailable: (available: boolean) => {
      isAvailable = available;
    },
    /** Publishes a text instead of the key. */
    publish: (text: string | undefined) => {
      published = text;
    },
    changeKeys: async () => {
      pair = await generateKeyPair(alg);
      kid = `k${Number(kid.slice(1)) + 1}`;
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
