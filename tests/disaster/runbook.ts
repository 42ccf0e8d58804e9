import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Reads the operators' runbook. The tests run the commands and the statement of the runbook. */
export function readRunbook(): Promise<string> {
  return readFile(new URL('../../k8s/RESTORE.md', import.meta.url), 'utf8');
}

/**
 * Runs the runbook's command that starts with `begins` and names the given database.
 * @param programs folder of PostgreSQL's programs
 * @param directory working directory
 */
export async function runRunbookCommand(
  { begins, database }: { begins: string; database: 'order' | 'stock' },
  { url, programs, directory }: { url: string; programs: string; directory: string },
): Promise<void> {
  const inline = [...(await readRunbook()).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const of = inline.filter(
    (code) => code.startsWith(`${begins} `) && code.includes(`${database}_db`),
  );
  const [command, ...others] = of;
  if (!command || others.length > 0)
    throw new Error(
      `The runbook needs exactly one ${begins} command for ${database}_db, but has: ${of}`,
    );
  await promisify(execFile)('sh', ['-c', command], {
    cwd: directory,
    env: {
      PATH: `${programs}:${process.env['PATH']}`,
      [`${database.toUpperCase()}_DATABASE_URL`]: url,
    },
  });
}
