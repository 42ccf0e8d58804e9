import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  DriverAdapterError,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';
import { MigrateError } from './migrate-error.ts';
import type { MigrationFiles } from './migration-files.ts';
import { loadSchemaEngine } from './schema-engine.ts';

/**
 * Applies what is not applied yet and returns its names. The state is kept where `prisma migrate deploy` keeps it
 * (`_prisma_migrations`), so either can be used after the other.
 * @throws {MigrateError} with Prisma's own words when a migration fails or the history does not match
 */
export async function applyMigrations(
  url: string,
  schema: string,
  files: MigrationFiles,
): Promise<string[]> {
  const SchemaEngine = await loadSchemaEngine();
  // The engine takes an advisory lock on one of these connections and leaves it to the connection's end; a pool of
  // PrismaPg's own would keep that one, and so the lock, for another 10 s.
  const pool = new pg.Pool({ connectionString: url, max: 2 });
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
    throw new MigrateError(readable(error));
  } finally {
    engine.free();
    await pool.end();
  }
}

/**
 * PrismaPg cuts a script at every semicolon, also at those inside of functions, strings and comments. Sent whole,
 * PostgreSQL parses it, and runs it as one transaction; so does Prisma's native engine.
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

/** In the form whose words the engine keeps, for its message and for `_prisma_migrations`. */
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

/** The engine throws plain objects, `{code, message}`, or errors that end in a trace of its own functions. */
function readable(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const [text = '', trace = ''] = String(message ?? JSON.stringify(error)).split(/\n\s+0: /);
  const words = text.replace(/^external connector error\s*(Error querying the database: )?/, '');
  const migration = /migration_name="([^"]+)"/.exec(trace)?.[1];
  if (migration) return `migration ${migration} failed: ${words}`;
  return typeof code === 'string' ? `${code}: ${words}` : words;
}
