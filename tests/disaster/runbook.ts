import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The operators' page, whose commands and statement are run as they stand there. */
export function readRestorePage(): Promise<string> {
  return readFile(new URL('../../k8s/RESTORE.md', import.meta.url), 'utf8');
}

/**
 * Runs the one command of the page that begins with a program and names a database.
 * @param programs the folder of that program
 * @param directory where its files are
 */
export async function runPageCommand(
  { begins, database }: { begins: string; database: 'order' | 'stock' },
  { url, programs, directory }: { url: string; programs: string; directory: string },
): Promise<void> {
  const inline = [...(await readRestorePage()).matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  );
  const of = inline.filter(
    (code) => code.startsWith(`${begins} `) && code.includes(`${database}_db`),
  );
  const [command, ...others] = of;
  if (!command || others.length > 0) throw new Error(`Not one ${begins} of ${database}_db: ${of}`);
  await promisify(execFile)('sh', ['-c', command], {
    cwd: directory,
    env: {
      PATH: `${programs}:${process.env['PATH']}`,
      [`${database.toUpperCase()}_DATABASE_URL`]: url,
    },
  });
}
