import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DatabaseUrl } from './database-url.ts';
import { MigrateError } from './migrate-error.ts';
import { tlsAdvice } from './tls-advice.ts';

const PAUSE_MS = 250;
const CONNECT_TIMEOUT_MS = 5000;
const NO_SUCH_DATABASE = '3D000';
const ALREADY_EXISTS = ['42P04', '23505'];
/** Starting up, shutting down, all connections in use: worth another try, as is a refused connection. */
const TRY_AGAIN = ['57P03', '57P01', '53300'];

export interface ConnectOptions {
  /** The setting to name in messages. */
  setting: string;
  /** How long to wait for a server that does not answer, in milliseconds. */
  waitMs: number;
  log: (line: string) => void;
}

/**
 * A connection to the database, which is created when the server has none of that name; waits for a server that
 * does not answer yet.
 * @throws {MigrateError} when the wait is over, or the server refuses the user
 */
export async function connect(target: DatabaseUrl, options: ConnectOptions): Promise<pg.Client> {
  const giveUpAt = Date.now() + options.waitMs;
  for (let told = false; ; ) {
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
      if (!mayComeBack(code)) throw new MigrateError(refusal(target, options, error));
      if (Date.now() >= giveUpAt) {
        throw new MigrateError(
          `${target.label} did not answer for ${seconds(options.waitMs)} (${reason(error)}). ` +
            `Is PostgreSQL running there? The address is ${options.setting}`,
        );
      }
      if (!told) {
        const wait = `waiting up to ${seconds(options.waitMs)}`;
        options.log(`${target.label} does not answer yet (${reason(error)}); ${wait}`);
      }
      told = true;
      await sleep(PAUSE_MS);
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
  // Without a listener a connection that breaks while idle would end the process with a stack trace.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return client;
}

/** Only the server itself gives a SQLSTATE; whatever has none (refused, timed out, unknown host) may still come. */
function mayComeBack(code: string | undefined): boolean {
  if (code === undefined || TRY_AGAIN.includes(code)) return true;
  return !/^[0-9A-Z]{5}$/.test(code) || /^E[A-Z]{4}$/.test(code);
}

function refusal(target: DatabaseUrl, options: ConnectOptions, error: unknown): string {
  return `${target.label} refused the connection (${reason(error)}). Check the user and password in ${options.setting}`;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : undefined;
}

/** Node gives a refused connection on several addresses as an AggregateError whose own message is empty. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return reason(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}
