/** What an object that is logged may call a secret, at any of these depths. */
const SECRET_NAMES = [
  'password',
  'token',
  'authorization',
  'cookie',
  'secret',
  '["gudang-secret"]',
];
const DEPTHS = ['', '*.', '*.*.', '*.*.*.'];

/** Paths for pino. */
export const SECRET_PATHS: string[] = DEPTHS.flatMap((depth) =>
  SECRET_NAMES.map((name) => `${depth}${name}`.replace('.[', '[')),
);

/** `//user:password@`: neither has a slash, a blank or a quote in it unless it is encoded. */
const CREDENTIALS = /(\/\/)[^\s"'/@\\]*(?::[^\s"'/@\\]*)?@/g;
const BEARER = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** A JSON web token: three parts, of which the first two are JSON objects. */
const TOKEN = /\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*/g;

/** A line of the log without passwords and tokens, wherever in a message they stand. */
export function withoutSecrets(line: string): string {
  return line
    .replace(CREDENTIALS, '$1[Redacted]@')
    .replace(BEARER, '$1 [Redacted]')
    .replace(TOKEN, '[Redacted]');
}
