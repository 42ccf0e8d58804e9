import { isCertificateProblem } from '@gudang/runtime';
import { chain } from './sql-state.ts';

interface TlsProblem {
  /** To stand behind the server's name. */
  readonly reason: string;
  /** @param setting the setting with the database's URL */
  readonly advice: (setting: string) => string;
}

/** What is wrong between this process and a PostgreSQL with TLS, or without; undefined: it is something else. */
export function tlsProblem(error: unknown): TlsProblem | undefined {
  for (const fields of chain(error)) {
    const { code, kind, reason, message, originalMessage } = fields;
    const text = [reason, originalMessage, message].find((one) => typeof one === 'string');
    const said = String(text ?? '');
    if (said.includes('does not support SSL connections')) {
      return {
        reason: 'has no TLS',
        advice: (setting) => `switch its ssl on, or take sslmode out of ${setting}`,
      };
    }
    if (isCertificateProblem(code) || kind === 'TlsConnectionError') {
      return {
        reason: `shows a certificate that is not trusted (${said})`,
        advice: (setting) =>
          `name the certificate of whoever has signed it in ${setting}: sslmode=verify-full&sslrootcert=<file>`,
      };
    }
    // The server's own words, which are in English only where its lc_messages says so.
    if (/no encryption|SSL off/.test(said)) {
      return {
        reason: 'takes no connection without TLS',
        advice: (setting) => `add sslmode=verify-full&sslrootcert=<file> to ${setting}`,
      };
    }
  }
  return undefined;
}
