import { type DatabaseUrl, readDatabaseUrl, refuseSameDatabase } from './database-url.ts';
import { type DatabaseName, databases } from './databases.ts';
import { migrate } from './migrate-database.ts';
import { MigrateError } from './migrate-error.ts';

const names = Object.keys(databases) as DatabaseName[];

/** All that is wrong is told at once: whoever has two addresses to set should not need three attempts. */
function all<T>(results: PromiseSettledResult<T>[]): T[] {
  const failed = results.filter((result) => result.status === 'rejected');
  if (failed.length === 0) {
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  }
  const unexpected = failed.find(({ reason }) => !(reason instanceof MigrateError));
  if (unexpected) throw unexpected.reason;
  throw new MigrateError(failed.map(({ reason }) => (reason as Error).message).join('\n'));
}

try {
  const targets = all(
    await Promise.allSettled(
      names.map(async (name) => readDatabaseUrl(name, process.env[databases[name].setting])),
    ),
  );
  refuseSameDatabase(...(targets as [DatabaseUrl, DatabaseUrl]));
  const log = (line: string) => process.stdout.write(`${line}\n`);
  all(
    await Promise.allSettled(
      names.map((database, i) => migrate({ database, url: targets[i]?.url ?? '', log })),
    ),
  );
} catch (error) {
  if (!(error instanceof MigrateError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
