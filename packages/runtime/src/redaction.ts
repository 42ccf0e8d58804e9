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
const CREDENTIALS = /(\/\/)[^\s"'/@\\]*@/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** Matches a text that may contain a JSON web token. */
const WORD = /[\w.-]+/g;

/** Returns a log line with its passwords and tokens redacted. */
export function withoutSecrets(line: string): string {
  const redacted = line.replace(CREDENTIALS, '$1[Redacted]@').replace(BEARER, '$1 [Redacted]');
  return redacted.includes('.eyJ') ? redacted.replace(WORD, withoutToken) : redacted;
}

/**
 * Redacts a JSON web token, which has three parts. The first two parts are encoded JSON objects. One regular
 * expression for it would take quadratic time for `-eyJ` repeated many times.
 */
function withoutToken(word: string): string {
  const start = word.indexOf('eyJ');
  const second = start < 0 ? -1 : word.indexOf('.eyJ', start);
  return second < 0 || !word.includes('.', second + 1) ? word : `${word.slice(0, start)}[Redacted]`;
}
