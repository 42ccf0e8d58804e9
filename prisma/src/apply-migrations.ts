import { pinSession } from '@gudang/session';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  DriverAdapterError,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { MigrateError } from './databases.ts';
import type { MigrationFiles } from './migration-files.ts';
import { loadSchemaEngine } from './schema-engine.ts';

/**
 * Adds the schemas of the installed extensions to the end of `search_path`, because migrations name
 * operator classes of extensions. Some providers install extensions in a schema of their own.
 */
const ADD_EXTENSIONS_TO_PATH = `
  SELECT set_config('search_path', concat_ws(', ', current_setting('search_path'), string_agg(
    DISTINCT quote_ident(nspname), ', ')), false)
  FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
  WHERE nspname <> 'pg_catalog'`;

/**
 * Applies pending migrations. Like `prisma migrate deploy`, it stores their state in
 * `_prisma_migrations`, so that each of the two can be used after the other.
 * @returns the names of the migrations that were applied
 * @throws {MigrateError} with Prisma's message if a migration fails or the history does not match
 */
export async function applyMigrations(
  url: string,
  schema: string,
  files: MigrationFiles,
): Promise<string[]> {
  const SchemaEngine = await loadSchemaEngine();
  // The engine takes an advisory lock on one of these connections, and releases the lock only when it
  // closes the connection. PrismaPg's own pool would keep this connection and its lock for another 10 s.
  const pool = new pg.Pool({
    connectionString: url,
    max: 2,
    onConnect: async (connection) => {
      await pinSession(connection, url);
      await connection.query(ADD_EXTENSIONS_TO_PATH);
    },
  });
  pool.on('error', () => {});
  const engine = await SchemaEngine.new(
    { datamodels: undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory(wholeScripts(new PrismaPg(pool, { schema }), pool)),
  );
  try {
    const output = await engine.applyMigrations({
      migrationsList: {
        baseDir: files.directory,
        lockfile: { path: 'migration_lock.toml', content: files.lockfile },
        shadowDbInitScript: '',
        migrationDirectories: files.migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
        })),
      },
      filters: { externalTables: [], externalEnums: [] },
    });
    return output.appliedMigrationNames;
  } catch (error) {
    throw new MigrateError(messageOf(error));
  } finally {
    engine.free();
    await pool.end();
  }
}

/**
 * Makes the adapter send each script as a whole to PostgreSQL, as Prisma's native engine does. PostgreSQL
 * then parses the script and runs it as one transaction. PrismaPg would split the script at every
 * semicolon, also inside functions, strings and comments.
 */
function wholeScripts(factory: PrismaPg, pool: pg.Pool): PrismaPg {
  const connect = factory.connect.bind(factory);
  factory.connect = async () => {
    const adapter = await connect();
    adapter.executeScript = async (script) => {
      await pool.query(script).catch((error) => {
        throw error instanceof pg.DatabaseError ? asAdapterError(error) : error;
      });
    };
    return adapter;
  };
  return factory;
}

/**
 * Converts an error to the type whose text the engine includes in its own message and in
 * `_prisma_migrations`.
 */
function asAdapterError(error: pg.DatabaseError): DriverAdapterError {
  return new DriverAdapterError({
    kind: 'postgres',
    code: error.code ?? 'XX000',
    severity: error.severity ?? 'ERROR',
    message: error.message,
    detail: error.detail,
    column: error.column,
    hint: error.hint,
  });
}

/**
 * Returns the message of an error, for the terminal. The engine throws plain objects `{code, message}`,
 * or errors whose message ends with a trace of the engine's functions.
 */
function messageOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const [text = '', trace = ''] = String(message ?? JSON.stringify(error)).split(/\n\s+0: /);
  const reason = text.replace(/^external connector error\s*(Error querying the database: )?/, '');
  const migration = /migration_name="([^"]+)"/.exec(trace)?.[1];
  if (migration) return `migration ${migration} failed: ${reason}`;
  return typeof code === 'string' ? `${code}: ${reason}` : reason;
}
