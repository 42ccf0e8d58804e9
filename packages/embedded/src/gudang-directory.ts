import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository: the same from src/ and from dist/, which stand side by side. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** Where everything that is kept between starts lives: `.gudang` in the repository, or GUDANG_DIR. */
export function gudangDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(repository, env.GUDANG_DIR?.trim() || '.gudang');
}
