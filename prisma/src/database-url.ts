import { accessSync, constants } from 'node:fs';
import { type DatabaseName, databases } from './databases.ts';
import { MigrateError } from './migrate-error.ts';

export interface DatabaseUrl {
  /** What is being talked about in messages: `order_db at 127.0.0.1:5432`, never with a password. */
  label: string;
  /** The name of the database itself. */
  database: string;
  /** The PostgreSQL schema that Prisma's `?schema=` names; `public` unless told otherwise. */
  schema: string;
  url: string;
  /** The same server and user, but the database that every PostgreSQL has. */
  maintenanceUrl: string;
}

/**
 * Reads a PostgreSQL address.
 * @throws {MigrateError} that names the setting when it is missing or no PostgreSQL address
 */
export function readDatabaseUrl(name: DatabaseName, value: string | undefined): DatabaseUrl {
  const { setting } = databases[name];
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
    label: `${database} at ${url.hostname}:${url.port || '5432'}`,
    database,
    schema: url.searchParams.get('schema') ?? 'public',
    url: value,
    maintenanceUrl: maintenance.href,
  };
}

/** Read by pg whenever it connects, which takes a missing one for a server that is away. */
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
 * Both databases keep a `_prisma_migrations` of their own, so they cannot be one and the same.
 * @throws {MigrateError} when the two addresses name the same place
 */
export function refuseSameDatabase(order: DatabaseUrl, stock: DatabaseUrl): void {
  if (order.label === stock.label && order.schema === stock.schema) {
    throw new MigrateError(
      `ORDER_DATABASE_URL and STOCK_DATABASE_URL name the same database (${order.label}); ` +
        'each service needs one of its own',
    );
  }
}
