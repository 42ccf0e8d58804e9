/** Names of secret fields in logged objects, at each of these depths. */
const SECRET_NAMES = [
  'password',
  'token',
  'authorization',
  'cookie',
  'secret',
  '["gudang-secret"]',
];
const DEPTHS = ['', '*.', '*.*.', '*.*.*.'];

/** Redaction paths for pino. */
export const SECRET_PATHS: string[] = DEPTHS.flatMap((depth) =>
  SECRET_NAMES.map((name) => `${depth}${name}`.replace('.[', '[')),
);

/** `//user:password@` in a URL. Slashes, spaces and quotes in it are encoded. */
const CREDENTIALS = /(\/\/)[^\s"'/@\\]*(?::[^\s"'/@\\]*)?@/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** A JSON web token: three parts, the first two are JSON objects. */
const TOKEN = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g;

/** Returns a log line without passwords and tokens. */
export function withoutSecrets(line: string): string {
  return line
    .replace(CREDENTIALS, '$1[Redacted]@')
    .replace(BEARER, '$1 [Redacted]')
    .replace(TOKEN, '[Redacted]');
}
