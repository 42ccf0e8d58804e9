import { pinSession } from '@gudang/session';
import pg from 'pg';
import { MoveInError } from './cli.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Returns a database's name and server for messages, without its password. */
export function labelOf(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${pathname.slice(1)} at ${hostname}:${port || 5432}`;
}

/**
 * Opens a connection.
 * @param setting the option or setting with the URL, for messages
 * @throws {MoveInError} if the server does not answer or rejects the connection
 */
export async function connect(url: string, setting: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'gudang move-in',
  });
  // Without a listener, the error of a lost idle connection would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await pinSession(client, url);
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    const reason = error instanceof AggregateError ? error.errors[0] : error;
    throw new MoveInError(
      `The database ${labelOf(url)} rejects the connection (${(reason as Error).message}). Check ${setting}`,
    );
  }
}
