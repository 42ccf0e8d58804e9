/** Node's error codes for an invalid certificate (the codes of OpenSSL) or a wrong host name. */
const CERTIFICATE_CODE =
  /^(?:[A-Z_]*(?:CERT|CRL|ISSUER)(?:_[A-Z_]+)?|UNABLE_TO_VERIFY_LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/;

/** Whether an error code means that a server's certificate cannot be trusted. */
export function isCertificateProblem(code: unknown): boolean {
  return typeof code === 'string' && CERTIFICATE_CODE.test(code);
}
