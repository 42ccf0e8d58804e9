import { setTimeout as sleep } from 'node:timers/promises';
import { pinSession } from '@gudang/session';
import pg from 'pg';
import type { DatabaseUrl } from './database-url.ts';
import { MigrateError } from './databases.ts';

const RETRY_PAUSE_MS = 250;
const CONNECT_TIMEOUT_MS = 5000;
const NO_SUCH_DATABASE = '3D000';
const ALREADY_EXISTS = ['42P04', '23505'];
/**
 * SQLSTATEs after which the connection is retried: the server is starting, it is stopping, or all its
 * connections are in use.
 */
const RETRYABLE = ['57P03', '57P01', '53300'];

export interface ConnectOptions {
  /** The name of the setting with the address, for messages. */
  setting: string;
  /** Time during which the connection is retried if the server does not answer, in milliseconds. */
  waitMs: number;
  log: (line: string) => void;
}

/**
 * Opens a connection. Creates the database if it does not exist, and retries while the server does not
 * answer.
 * @throws {MigrateError} if the server does not answer in time or rejects the connection
 */
export async function connect(target: DatabaseUrl, options: ConnectOptions): Promise<pg.Client> {
  const giveUpAt = Date.now() + options.waitMs;
  for (let isLogged = false; ; ) {
    try {
      return await open(target.url);
    } catch (error) {
      const code = codeOf(error);
      if (code === NO_SUCH_DATABASE) {
        await createDatabase(target, options);
        continue;
      }
      const tls = tlsAdvice(error, options.setting);
      if (tls) throw new MigrateError(`${target.label}: ${reason(error)}. ${tls}`);
      if (!isRetryable(code)) throw new MigrateError(rejectionMessage(target, options, error));
      if (Date.now() >= giveUpAt) {
        throw new MigrateError(
          `${target.label} did not answer for ${seconds(options.waitMs)} (${reason(error)}). ` +
            `Check that PostgreSQL is running there, or correct ${options.setting}`,
        );
      }
      if (!isLogged) {
        options.log(
          `${target.label} does not answer yet (${reason(error)}); ` +
            `retrying for up to ${seconds(options.waitMs)}`,
        );
      }
      isLogged = true;
      await sleep(RETRY_PAUSE_MS);
    }
  }
}

async function createDatabase(target: DatabaseUrl, options: ConnectOptions): Promise<void> {
  try {
    const client = await open(target.maintenanceUrl);
    try {
      await client.query(`CREATE DATABASE ${pg.escapeIdentifier(target.database)}`);
      options.log(`${target.label}: created the database`);
    } finally {
      await client.end();
    }
  } catch (error) {
    if (ALREADY_EXISTS.includes(codeOf(error) ?? '')) return;
    throw new MigrateError(
      `${target.label} does not exist and could not be created (${reason(error)}). ` +
        `Create it, or correct ${options.setting}`,
    );
  }
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'gudang migrate',
  });
  // Without a listener, the error of a lost idle connection would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
    await pinSession(client, url);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return client;
}

/**
 * Whether another attempt may succeed. Only errors that the server sends have a SQLSTATE. An error
 * without a SQLSTATE (refused, timed out, unknown host) means that the server did not answer, so another
 * attempt may succeed.
 */
function isRetryable(code: string | undefined): boolean {
  if (code === undefined || RETRYABLE.includes(code)) return true;
  return !/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code);
}

function rejectionMessage(target: DatabaseUrl, options: ConnectOptions, error: unknown): string {
  return `${target.label} rejected the connection (${reason(error)}). Check the user and password in ${options.setting}`;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Returns the reason for a failed connection. If a host name has several addresses, Node reports an
 * AggregateError with an empty message.
 */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return reason(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}

/** OpenSSL's error codes for an invalid certificate, and Node's error code for a wrong host name. */
const CERTIFICATE = /CERT|CRL|ISSUER|LEAF_SIGNATURE|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH/;

/**
 * Returns advice if an error shows that the TLS settings of client and server do not match; undefined for
 * other errors.
 */
function tlsAdvice(error: unknown, setting: string): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = String(message);
  if (text.includes('does not support SSL connections')) {
    return `Enable ssl on the server, or remove sslmode from ${setting}`;
  }
  if (typeof code === 'string' && CERTIFICATE.test(code)) {
    return `Add the certificate of the authority that signed the server's certificate to ${setting}: sslmode=verify-full&sslrootcert=<file>`;
  }
  if (/no encryption|SSL off/.test(text)) {
    return `The server requires TLS: add sslmode=verify-full&sslrootcert=<file> to ${setting}`;
  }
  return undefined;
}
