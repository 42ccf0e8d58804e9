import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SettingRow } from '@gudang/runtime/settings';
import { rowsOf, SERVICES } from './settings-page.ts';

/** Path of the Compose file, whose lists of settings `npm run settings` writes. */
export const composePath = fileURLToPath(new URL('../../docker/compose.yaml', import.meta.url));

/** Settings that a container always has the same: its image and the Dockerfile set them. */
const OF_THE_IMAGE = ['HOST', 'PORT'];

const GENERATED = /(?<=# BEGIN SETTINGS\n).*(?=# END SETTINGS\n)/s;

/**
 * Returns the content that the Compose file must have: the settings of all services, and those of each
 * kind of service. A setting without a value is passed on if it is set where Compose runs.
 */
export async function composeFile(): Promise<string> {
  const names = new Map<string, readonly string[]>();
  for (const service of SERVICES) names.set(service, namesOf(await rowsOf(service)));
  const [first = [], ...others] = names.values();
  const shared = first.filter((name) => others.every((all) => all.includes(name)));
  const blocks = [block('settings', shared)];
  for (const [service, all] of names) {
    const own = all.filter((name) => !shared.includes(name));
    blocks.push(block(`${service}-settings`, own));
  }
  return (await readFile(composePath, 'utf8')).replace(GENERATED, blocks.join('\n'));
}

function namesOf(rows: readonly SettingRow[]): string[] {
  return rows.map(({ name }) => name).filter((name) => !OF_THE_IMAGE.includes(name));
}

function block(anchor: string, names: readonly string[]): string {
  return `x-${anchor}: &${anchor}\n${names.map((name) => `  ${name}:\n`).join('')}`;
}
