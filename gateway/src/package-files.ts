import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Returns the path of a file of the gateway's package. `src` and `dist` are folders of the package. */
function packagePath(file: string): string {
  return fileURLToPath(new URL(`../${file}`, import.meta.url));
}

/** Path of the manifest, which contains the version. */
export const manifestPath = packagePath('package.json');

/**
 * Folder of the built pages: in a checkout those of `gateway/pages`, in the published package only the
 * explorers. Undefined if no pages are built.
 */
export function findPages(): string | undefined {
  return [packagePath('pages/dist/'), packagePath('dist/pages/')].find((path) => existsSync(path));
}
