/** OpenSSL's verdicts on a certificate, and Node's on whose it is. */
const CERTIFICATE = /CERT|CRL|ISSUER|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH/;

/** What mends it where client and server do not agree about TLS; undefined: it is something else. */
export function tlsAdvice(error: unknown, setting: string): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const said = String(message);
  if (said.includes('does not support SSL connections')) {
    return `Switch its ssl on, or take sslmode out of ${setting}`;
  }
  if (typeof code === 'string' && CERTIFICATE.test(code)) {
    return `Name the certificate of whoever has signed the server's in ${setting}: sslmode=verify-full&sslrootcert=<file>`;
  }
  if (/no encryption|SSL off/.test(said)) {
    return `It takes no connection without TLS: add sslmode=verify-full&sslrootcert=<file> to ${setting}`;
  }
  return undefined;
}
