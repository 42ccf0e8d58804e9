import { assertDifferentDatabases, type DatabaseUrl, readDatabaseUrl } from './database-url.ts';
import { type DatabaseName, databases, MigrateError } from './databases.ts';
import { migrate } from './migrate-database.ts';

const names = Object.keys(databases) as DatabaseName[];

/**
 * Returns all values. If some promises were rejected, throws one error with all problems, so that the
 * user can correct them together.
 * @throws {MigrateError}
 */
function allValues<T>(results: PromiseSettledResult<T>[]): T[] {
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length === 0) {
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
  const unexpected = failed.find(({ reason }) => !(reason instanceof MigrateError));
  if (unexpected) throw unexpected.reason;
  throw new MigrateError(failed.map(({ reason }) => (reason as Error).message).join('\n'));
}

try {
  const targets = allValues(
    await Promise.allSettled(names.map(async (name) => readDatabaseUrl(name, process.env))),
  );
  assertDifferentDatabases(...(targets as [DatabaseUrl, DatabaseUrl]));
  const log = (line: string) => process.stdout.write(`${line}\n`);
  allValues(
    await Promise.allSettled(
      names.map((database, i) =>
        migrate({ database, url: targets[i]?.url ?? '', setting: targets[i]?.setting, log }),
      ),
    ),
  );
} catch (error) {
  if (!(error instanceof MigrateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
