import {
  choice,
  httpSettings,
  integer,
  list,
  type Setting,
  type SettingsOf,
  text,
  url,
} from '@gudang/runtime/settings';

const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
/** Never `none`, which anybody can sign. */
const KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];
const ALGORITHMS = [...SECRET_ALGORITHMS, ...KEY_ALGORITHMS];

type Values = Readonly<Record<string, unknown>>;

/** What everybody who tells people apart needs beside where the keys come from. */
function checkKeys(values: Values): string | undefined {
  if (values['AUTH'] === 'off') return 'AUTH=off stands beside it: take one of the two away';
  const missing = ['JWT_ISSUER', 'JWT_AUDIENCE', 'SUBGRAPH_SECRET'].filter(
    (name) => values[name] === undefined,
  );
  return missing.length > 0 ? `it needs ${missing.join(' and ')} too` : undefined;
}

function checkAlgorithms({ JWT_ALGORITHMS, JWT_JWKS_URL }: Values): string | undefined {
  const [fit, where] =
    JWT_JWKS_URL === undefined
      ? [SECRET_ALGORITHMS, 'JWT_SECRET']
      : [KEY_ALGORITHMS, 'JWT_JWKS_URL'];
  const unfit = (JWT_ALGORITHMS as readonly string[]).filter((name) => !fit.includes(name));
  return unfit.length > 0 ? `${unfit.join(' and ')} cannot be with ${where}` : undefined;
}

/** Who may come in. Every process of a system has the same. */
export const authSettings = {
  AUTH: {
    description:
      'jwt: callers show tokens, by JWT_JWKS_URL or JWT_SECRET; off: whoever reaches the process may do everything, also from other machines; unset: jwt where one of these is set, and without them everything may be done and it listens on this machine alone',
    parse: choice('jwt', 'off'),
    optional: true,
    check: ({ AUTH, JWT_JWKS_URL, JWT_SECRET }) =>
      AUTH === 'jwt' && JWT_JWKS_URL === undefined && JWT_SECRET === undefined
        ? 'jwt needs JWT_JWKS_URL or JWT_SECRET too'
        : undefined,
  },
  JWT_JWKS_URL: {
    description: 'Where the issuer of tokens publishes its keys',
    parse: url('https', 'http'),
    optional: true,
    example: 'https://login.example.com/.well-known/jwks.json',
    check: (values) =>
      checkKeys(values) ??
      (values['JWT_SECRET'] === undefined ? undefined : 'set it or JWT_SECRET, not both'),
  },
  JWT_SECRET: {
    description:
      'Signs tokens, in place of JWT_JWKS_URL; two separated by a comma while it is changed: tokens of both are good',
    parse: list.refine(
      (secrets) =>
        secrets.length >= 1 && secrets.length <= 2 && secrets.every((one) => one.length >= 32),
      'one or two secrets of at least 32 characters, separated by a comma',
    ),
    optional: true,
    secret: true,
    check: (values) => checkKeys(values),
  },
  JWT_ISSUER: {
    description: 'The `iss` of tokens',
    parse: text,
    optional: true,
    example: 'https://login.example.com/',
  },
  JWT_AUDIENCE: {
    description: 'The `aud` of tokens; of several, separated by commas, one is enough',
    parse: list.refine((all) => all.length > 0, 'one audience or several, separated by commas'),
    optional: true,
    example: 'https://graph.example.com',
  },
  JWT_ALGORITHMS: {
    description:
      'How tokens may be signed; unset: RS256, PS256, ES256 and EdDSA with JWT_JWKS_URL, HS256 with JWT_SECRET',
    parse: list.refine(
      (names) => names.length > 0 && names.every((name) => ALGORITHMS.includes(name)),
      `some of ${ALGORITHMS.join(', ')}, separated by commas`,
    ),
    optional: true,
    check: (values) => checkAlgorithms(values),
  },
  JWT_CLOCK_TOLERANCE_S: {
    description: "How far the issuer's clock may be from this one, in seconds",
    parse: integer(0, 300),
    default: '5',
  },
} as const satisfies Record<string, Setting>;

export type AuthSettings = SettingsOf<typeof authSettings>;

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/i;

/** What is wrong with listening where others can come, when nobody is asked who they are. */
function checkOpen(values: Values): string | undefined {
  const open = !LOOPBACK.test(String(values['HOST']));
  const asks = ['AUTH', 'JWT_JWKS_URL', 'JWT_SECRET'].some((name) => values[name] !== undefined);
  if (!open || asks) return undefined;
  return `${JSON.stringify(values['HOST'])} can be reached from other machines, and nobody would be asked who they are: set JWT_JWKS_URL or JWT_SECRET, or AUTH=off to let everybody do everything`;
}

/** Settings of every process that serves HTTP to authenticated callers. */
export function protectedHttpSettings(defaultPort: number) {
  const { HOST, ...http } = httpSettings(defaultPort);
  return {
    HOST: { ...HOST, check: (values) => checkOpen(values) },
    ...http,
    ...authSettings,
  } as const satisfies Record<string, Setting>;
}

/** Settings of the gateway and of what it asks. */
export const identitySettings = {
  SUBGRAPH_SECRET: {
    description:
      'Proves the gateway to subgraphs, which believe nobody else who asks; two separated by a comma while it is changed: subgraphs take both, the gateway sends the first',
    parse: list.refine(
      (secrets) =>
        secrets.length >= 1 && secrets.length <= 2 && secrets.every((one) => one.length >= 16),
      'one or two secrets of at least 16 characters, separated by a comma',
    ),
    optional: true,
    secret: true,
  },
} as const satisfies Record<string, Setting>;
