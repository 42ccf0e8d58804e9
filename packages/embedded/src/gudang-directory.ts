import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. The relative path is the same from src/ and from dist/. */
export const repository = fileURLToPath(new URL('../../../', import.meta.url)).replace(/\/$/, '');

/** Returns the folder for everything that is kept between starts: GUDANG_DIR, or `.gudang` in the repository. */
export function gudangDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(repository, env.GUDANG_DIR?.trim() || '.gudang');
}
