import {
  choice,
  httpSettings,
  integer,
  isLoopbackHost,
  list,
  type Setting,
  type SettingsOf,
  text,
  url,
} from '@gudang/runtime/settings';

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** Algorithms for published keys. The algorithm `none` is excluded because it needs no key. */
const KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const ALGORITHMS = [...SECRET_ALGORITHMS, ...KEY_ALGORITHMS];

/**
 * Secrets that anyone can read: the default of compose.yaml up to 0.9.0, and the example of jwt.io.
 */
const PUBLISHED_SECRETS: readonly string[] = [
  'for-this-machine-alone',
  'a-string-secret-at-least-256-bits-long',
];

type Values = Readonly<Record<string, unknown>>;

/** Returns the problem if a secret is one of the published ones. */
function checkPublished(secrets: unknown): string | undefined {
  return (secrets as readonly string[]).some((one) => PUBLISHED_SECRETS.includes(one))
    ? 'the value given is published, so everyone can know it; set a random one, for example the output of: openssl rand -hex 32'
    : undefined;
}

/** Returns the problem if another required setting of authentication is missing. */
function checkKeys(values: Values): string | undefined {
  if (values['AUTH'] === 'off') return 'it contradicts AUTH=off: remove one of the two';
  const missing = ['JWT_ISSUER', 'JWT_AUDIENCE', 'SUBGRAPH_SECRET'].filter(
    (name) => values[name] === undefined,
  );
  return missing.length > 0 ? `it needs ${missing.join(' and ')} too` : undefined;
}

function checkAlgorithms({ JWT_ALGORITHMS, JWT_JWKS_URL }: Values): string | undefined {
  const [supported, where] =
    JWT_JWKS_URL === undefined
      ? [SECRET_ALGORITHMS, 'JWT_SECRET']
      : [KEY_ALGORITHMS, 'JWT_JWKS_URL'];
  const unsupported = (JWT_ALGORITHMS as readonly string[]).filter(
    (name) => !supported.includes(name),
  );
  return unsupported.length > 0
    ? `${unsupported.join(' and ')} cannot be used with ${where}`
    : undefined;
}

/** Settings of authentication. Every process of a system needs the same values. */
export const authSettings = {
  AUTH: {
    description:
      'jwt: callers need tokens, verified with JWT_JWKS_URL or JWT_SECRET. off: every caller has full access, also from other machines. Unset: jwt if one of the two is set; otherwise every caller has full access, but HOST must be a loopback address',
    parse: choice('jwt', 'off'),
    optional: true,
    check: ({ AUTH, JWT_JWKS_URL, JWT_SECRET }) =>
      AUTH === 'jwt' && JWT_JWKS_URL === undefined && JWT_SECRET === undefined
        ? 'jwt needs JWT_JWKS_URL or JWT_SECRET too'
        : undefined,
  },
  JWT_JWKS_URL: {
    description: 'URL at which the token issuer publishes its keys',
    parse: url('https', 'http'),
    optional: true,
    example: 'https://login.example.com/.well-known/jwks.json',
    check: (values) =>
      checkKeys(values) ??
      (values['JWT_SECRET'] === undefined ? undefined : 'set it or JWT_SECRET, not both'),
  },
  JWT_SECRET: {
    description:
      'Secret that signs tokens, instead of JWT_JWKS_URL. During a rotation, two secrets separated by a comma: tokens signed with either are valid',
    parse: list.refine(
      (secrets) =>
        secrets.length >= 1 && secrets.length <= 2 && secrets.every((one) => one.length >= 32),
      'one or two secrets of at least 32 characters, separated by a comma',
    ),
    optional: true,
    secret: true,
    check: (values) => checkKeys(values) ?? checkPublished(values['JWT_SECRET']),
  },
  JWT_ISSUER: {
    description: 'Required `iss` claim of tokens',
    parse: text,
    optional: true,
    example: 'https://login.example.com/',
  },
  JWT_AUDIENCE: {
    description:
      'Required `aud` claim of tokens. Several values, separated by commas: a token needs one of them',
    parse: list.refine((all) => all.length > 0, 'one audience or several, separated by commas'),
    optional: true,
    example: 'https://graph.example.com',
  },
  JWT_ALGORITHMS: {
    description:
      'Allowed signature algorithms. Unset: RS256, PS256, ES256 and EdDSA with JWT_JWKS_URL, HS256 with JWT_SECRET',
    parse: list.refine(
      (names) => names.length > 0 && names.every((name) => ALGORITHMS.includes(name)),
      `some of ${ALGORITHMS.join(', ')}, separated by commas`,
    ),
    optional: true,
    check: (values) => checkAlgorithms(values),
  },
  JWT_CLOCK_TOLERANCE_S: {
    description: "Allowed difference between the issuer's clock and this one, in seconds",
    parse: integer(0, 300),
    default: '5',
  },
} as const satisfies Record<string, Setting>;

export type AuthSettings = SettingsOf<typeof authSettings>;

/** Returns the problem if other machines can reach the address although authentication is not configured. */
function checkOpen(values: Values): string | undefined {
  const open = !isLoopbackHost(String(values['HOST']).toLowerCase());
  const asks = ['AUTH', 'JWT_JWKS_URL', 'JWT_SECRET'].some((name) => values[name] !== undefined);
  if (!open || asks) return undefined;
  return `${JSON.stringify(values['HOST'])} can be reached from other machines, and authentication is not configured: set JWT_JWKS_URL or JWT_SECRET, or AUTH=off to give every caller full access`;
}

/** Settings of each process that authenticates the callers of its HTTP server. */
export function protectedHttpSettings(defaultPort: number) {
  const { HOST, ...http } = httpSettings(defaultPort);
  return {
    HOST: { ...HOST, check: (values) => checkOpen(values) },
    ...http,
    ...authSettings,
  } as const satisfies Record<string, Setting>;
}

/** Settings of the gateway and its subgraphs. */
export const identitySettings = {
  SUBGRAPH_SECRET: {
    description:
      'Secret that proves to a subgraph that a request comes from the gateway; other requests are refused. During a rotation, two secrets separated by a comma: subgraphs accept both, the gateway sends the first',
    parse: list.refine(
      (secrets) =>
        secrets.length >= 1 && secrets.length <= 2 && secrets.every((one) => one.length >= 16),
      'one or two secrets of at least 16 characters, separated by a comma',
    ),
    optional: true,
    secret: true,
    check: (values) => checkPublished(values['SUBGRAPH_SECRET']),
  },
} as const satisfies Record<string, Setting>;
