import type { Problem } from '@gudang/runtime';
import { withoutCredentials } from '@gudang/runtime';
import { tlsProblem } from './database-tls.ts';
import { sqlState } from './sql-state.ts';

/**
 * Returns the reason why a database cannot be used, and advice for the user.
 * @param error the driver's error; undefined if the database did not answer in time
 * @param setting the name of the setting with the database's URL, such as ORDER_DATABASE_URL
 */
export function databaseProblem(
  error: unknown,
  { url, setting }: { readonly url: string; readonly setting: string },
): Problem {
  const server = `PostgreSQL at ${withoutCredentials(url)}`;
  const tls = tlsProblem(error);
  if (tls) return { reason: `${server} ${tls.reason}`, advice: tls.advice(setting) };
  switch (sqlState(error)) {
    case '3D000':
      return {
        reason: `${server} has no such database`,
        advice: `run \`npm run migrate\` to create it, or correct ${setting}`,
      };
    case '42P01':
      return {
        reason: `${server} lacks its tables`,
        advice: `run \`npm run migrate\` to create them, or correct ${setting}`,
      };
    case '28000':
      // The server also reports this state if it requires TLS, in the language of lc_messages.
      return {
        reason: `${server} refuses the user or the connection`,
        advice: `correct the user in ${setting}, or add sslmode=verify-full&sslrootcert=<file> if the server requires TLS`,
      };
    case '28P01':
      return {
        reason: `${server} refuses the user or the password`,
        advice: `correct them in ${setting}`,
      };
    case '53300':
      return {
        reason: `${server} has no connection left`,
        advice: 'raise its max_connections, or lower DATABASE_POOL',
      };
    default:
      return {
        reason: `${server} does not answer`,
        advice: `start it, or correct the address in ${setting}`,
      };
  }
}
