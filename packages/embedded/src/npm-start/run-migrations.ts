import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import { NO_DIRECT_DATABASES } from './service-plan.ts';

const run = promisify(execFile);

/**
 * Migrates both databases of the embedded PostgreSQL with the command of `npm run migrate`. Returns one line for each change.
 * @throws {StartError} with the command's error output
 */
export async function runMigrations(
  root: string,
  databases: { order: string; stock: string },
  signal: AbortSignal,
): Promise<string[]> {
  const env = {
    ...process.env,
    ...NO_DIRECT_DATABASES,
    ORDER_DATABASE_URL: databases.order,
    STOCK_DATABASE_URL: databases.stock,
  };
  try {
    const script = join(root, 'prisma/dist/migrate.js');
    const { stdout } = await run(process.execPath, [script], { env, signal });
    return stdout.split('\n').filter((line) => line !== '' && !line.endsWith('up to date'));
  } catch (error) {
    signal.throwIfAborted();
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new StartError(stderr?.trim() || message);
  }
}
