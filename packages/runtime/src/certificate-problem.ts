/** OpenSSL's verdicts on a certificate, and Node's on whose it is, as Node has them in an error's code. */
const VERDICT =
  /^(?:[A-Z_]*(?:CERT|CRL|ISSUER)(?:_[A-Z_]+)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;

/** Whether an error's code says that a server's certificate is not to be trusted. */
export function isCertificateProblem(code: unknown): boolean {
  return typeof code === 'string' && VERDICT.test(code);
}
