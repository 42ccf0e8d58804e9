/** Names of fields with secrets in logged objects. They are redacted at each of the depths below. */
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

/**
 * Matches `//user:password@` in a URL. The pattern excludes slashes, spaces and quotes, because a user or
 * password contains them only percent-encoded.
 */
const CREDENTIALS = /(\/\/)[^\s"'/@\\]*(?::[^\s"'/@\\]*)?@/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** Matches a JSON web token, which has three parts. The first two parts are encoded JSON objects. */
const TOKEN = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g;

/** Returns a log line with its passwords and tokens redacted. */
export function withoutSecrets(line: string): string {
  return line
    .replace(CREDENTIALS, '$1[Redacted]@')
    .replace(BEARER, '$1 [Redacted]')
    .replace(TOKEN, '[Redacted]');
}
