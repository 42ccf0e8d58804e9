import { readSettings, SettingsError } from '@gudang/runtime/settings';
import { describe, expect, it } from 'vitest';
import { identitySettings, protectedHttpSettings } from './settings.ts';

const table = { ...protectedHttpSettings(4000), ...identitySettings };
const problems = (environment: Record<string, string>): readonly string[] => {
  try {
    readSettings(table, environment);
    return [];
  } catch (error) {
    return error instanceof SettingsError ? error.problems : [String(error)];
  }
};

const SUBGRAPH_SECRET = 'between the services';
const COMMON = { JWT_ISSUER: 'https://issuer', JWT_AUDIENCE: 'graph', SUBGRAPH_SECRET };
const KEYS = { JWT_JWKS_URL: 'https://issuer/keys', ...COMMON };
const PUBLISHED =
  'the value given is published, so everyone can know it; set a random one, for example the output of: openssl rand -hex 32';
const SECRET = { JWT_SECRET: 'x'.repeat(32), ...COMMON };

describe('HOST without authentication', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost', 'LocalHost'])('may be %s', (HOST) =>
    expect(problems({ HOST })).toEqual([]),
  );

  it.each(['0.0.0.0', '::', '10.0.0.1', 'gudang.example', '127.0.0.1.example', '::ffff:10.0.0.1'])(
    'must not be %s without AUTH=off',
    (HOST) => {
      expect(problems({ HOST })).toEqual([
        `HOST: "${HOST}" can be reached from other machines, and authentication is not configured: set JWT_JWKS_URL or JWT_SECRET, or AUTH=off to give every caller full access`,
      ]);
      expect(problems({ HOST, AUTH: 'off' })).toEqual([]);
      expect(problems({ HOST, ...KEYS })).toEqual([]);
      expect(problems({ HOST, ...SECRET })).toEqual([]);
    },
  );
});

it.each([
  [{ AUTH: 'jwt', HOST: '0.0.0.0' }, 'AUTH: jwt needs JWT_JWKS_URL or JWT_SECRET too'],
  [{ AUTH: 'no' }, 'AUTH: "no" is not allowed; one of jwt, off'],
  [{ AUTH: 'off', ...KEYS }, 'JWT_JWKS_URL: it contradicts AUTH=off: remove one of the two'],
  [{ AUTH: 'off', ...SECRET }, 'JWT_SECRET: it contradicts AUTH=off: remove one of the two'],
  [
    { JWT_SECRET: 'x'.repeat(32) },
    'JWT_SECRET: it needs JWT_ISSUER and JWT_AUDIENCE and SUBGRAPH_SECRET too',
  ],
  [{ ...SECRET, ...KEYS }, 'JWT_JWKS_URL: set it or JWT_SECRET, not both'],
  [
    { ...SECRET, JWT_SECRET: 'short' },
    'JWT_SECRET: the value given is not allowed; one or two secrets of at least 32 characters, separated by a comma',
  ],
  [{ ...KEYS, SUBGRAPH_SECRET: 'for-this-machine-alone' }, `SUBGRAPH_SECRET: ${PUBLISHED}`],
  [
    { SUBGRAPH_SECRET: 'a-new-secret-of-ours,for-this-machine-alone' },
    `SUBGRAPH_SECRET: ${PUBLISHED}`,
  ],
  [{ ...SECRET, JWT_SECRET: 'a-string-secret-at-least-256-bits-long' }, `JWT_SECRET: ${PUBLISHED}`],
  [{ ...SECRET, JWT_ALGORITHMS: 'RS256' }, 'JWT_ALGORITHMS: RS256 cannot be used with JWT_SECRET'],
  [
    { ...KEYS, JWT_ALGORITHMS: 'RS256,HS256' },
    'JWT_ALGORITHMS: HS256 cannot be used with JWT_JWKS_URL',
  ],
  [
    { ...KEYS, JWT_ALGORITHMS: 'none' },
    'JWT_ALGORITHMS: "none" is not allowed; some of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519, separated by commas',
  ],
])('rejects %j', (environment, problem) => {
  expect(problems(environment as unknown as Record<string, string>)).toEqual([problem]);
});
