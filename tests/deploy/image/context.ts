import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** The build's context: what is committed, without what .dockerignore names. */
export async function copyContext(repository: string, ignored: string, to: string): Promise<void> {
  const patterns = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const excluded = patterns.flatMap((one) => [one, `${one}/**`]);
  const paths = ['.', ...excluded.map((pattern) => `:(exclude,glob)${pattern}`)];
  const archive = join(to, '.context.tar');
  await exec('git', ['archive', '--output', archive, 'HEAD', '--', ...paths], { cwd: repository });
  await exec('tar', ['-xf', archive, '-C', to]);
  await rm(archive);
}
