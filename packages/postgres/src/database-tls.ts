import { isCertificateProblem } from '@gudang/runtime';
import { chain } from './sql-state.ts';

interface TlsProblem {
  /** Text that follows the server's name in the message. */
  readonly reason: string;
  /** @param setting the name of the setting with the database's URL */
  readonly advice: (setting: string) => string;
}

/** Returns the TLS problem that caused an error; undefined for other errors. */
export function tlsProblem(error: unknown): TlsProblem | undefined {
  for (const fields of chain(error)) {
    const { code, kind, reason, message, originalMessage } = fields;
    const text = [reason, originalMessage, message].find((one) => typeof one === 'string');
    const detail = String(text ?? '');
    if (detail.includes('does not support SSL connections')) {
      return {
        reason: 'has no TLS',
        advice: (setting) => `enable ssl on the server, or remove sslmode from ${setting}`,
      };
    }
    if (isCertificateProblem(code) || kind === 'TlsConnectionError') {
      return {
        reason: `shows a certificate that is not trusted (${detail})`,
        advice: (setting) =>
          `add the certificate of the authority that signed it to ${setting}: sslmode=verify-full&sslrootcert=<file>`,
      };
    }
    // This check finds only English messages. The server's setting lc_messages may select another
    // language.
    if (/no encryption|SSL off/.test(detail)) {
      return {
        reason: 'requires TLS',
        advice: (setting) => `add sslmode=verify-full&sslrootcert=<file> to ${setting}`,
      };
    }
  }
  return undefined;
}
