import { accessSync, constants } from 'node:fs';
import { schemaOf } from '@gudang/session';
import { type DatabaseName, databases, MigrateError } from './databases.ts';

export interface DatabaseUrl {
  /** The database's name and address for messages, without password: `order_db at 127.0.0.1:5432`. */
  label: string;
  /** The name of the setting with the address, for messages. */
  setting: string;
  /** The database's name on the server. */
  database: string;
  /** The PostgreSQL schema, from Prisma's parameter `?schema=`. Default: `public`. */
  schema: string;
  url: string;
  /**
   * The address of the database `postgres` on the same server, with the same user. Every server has this
   * database.
   */
  maintenanceUrl: string;
}

/**
 * Parses a PostgreSQL address.
 * @param setting the name of the setting with the address
 * @throws {MigrateError} with the setting's name if the address is missing or invalid
 */
export function parseDatabaseUrl(
  name: DatabaseName,
  value: string | undefined,
  setting: string = databases[name].setting,
): DatabaseUrl {
  const example = `postgresql://user:password@host:5432/${name}_db`;
  if (value === undefined || value.trim() === '') {
    throw new MigrateError(`${setting} is not set. Set it to the ${name} database: ${example}`);
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const database = databaseName(url);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || database === '') {
    throw new MigrateError(`${setting} is not a PostgreSQL address such as ${example}`);
  }
  const missing = CERTIFICATE_FILES.filter(
    (parameter) => !isReadable(url.searchParams.get(parameter)),
  );
  if (missing.length > 0) {
    throw new MigrateError(`${setting}: ${missing.join(' and ')} must name a readable file`);
  }
  const maintenance = new URL(url);
  maintenance.pathname = '/postgres';
  return {
    setting,
    label: `${database} at ${url.hostname}:${url.port || '5432'}`,
    database,
    schema: schemaOf(value),
    url: value,
    maintenanceUrl: maintenance.href,
  };
}

/**
 * Returns the address for migrations: the address without a pooler if it is set, because migrations hold
 * an advisory lock.
 * @throws {MigrateError} like parseDatabaseUrl
 */
export function readDatabaseUrl(name: DatabaseName, env: NodeJS.ProcessEnv): DatabaseUrl {
  const { setting, direct } = databases[name];
  const used = env[direct]?.trim() ? direct : setting;
  return parseDatabaseUrl(name, env[used], used);
}

/**
 * URL parameters that name a file. pg reads these files at each connection, so a missing file would look
 * like an unavailable server.
 */
const CERTIFICATE_FILES = ['sslrootcert', 'sslcert', 'sslkey'];

function isReadable(file: string | null): boolean {
  try {
    if (file) accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function databaseName(url: URL | undefined): string {
  try {
    return decodeURIComponent(url?.pathname.slice(1) ?? '');
  } catch {
    return '';
  }
}

/**
 * Checks that the services have separate databases, because each service needs its own table
 * `_prisma_migrations`.
 * @throws {MigrateError} if both addresses name the same database and schema
 */
export function assertDifferentDatabases(order: DatabaseUrl, stock: DatabaseUrl): void {
  if (order.label === stock.label && order.schema === stock.schema) {
    throw new MigrateError(
      `ORDER_DATABASE_URL and STOCK_DATABASE_URL name the same database (${order.label}); ` +
        'give each service its own database',
    );
  }
}
