import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SettingRow } from '@gudang/runtime/settings';

const MARK = '# The rest, at their defaults; `npm run settings` writes this list.';

/** Where a cluster keeps a service's settings. */
export function deploySettingsPath(service: string): string {
  return fileURLToPath(new URL(`../../k8s/base/settings/${service}.env`, import.meta.url));
}

/** The names that a file of settings gives a value. */
export function namesSet(file: string): string[] {
  return file.split('\n').flatMap((line) => /^([A-Z]\w*)=/.exec(line)?.[1] ?? []);
}

/** The file as it should be: what is set there by hand, then all other settings of the service. */
export async function deploySettings(
  service: string,
  rows: readonly SettingRow[],
): Promise<string> {
  const [byHand = ''] = (await readFile(deploySettingsPath(service), 'utf8')).split(MARK);
  const set = new Set(namesSet(byHand));
  const rest = rows
    .filter(({ name }) => !set.has(name))
    .map((row) => `# ${row.name}${shownValue(row)}`);
  return `${[byHand.trimEnd(), MARK, ...rest].join('\n')}\n`;
}

/** A required one comes from a secret; an optional one has no value unless it gets one. */
function shownValue({ default: value }: SettingRow): string {
  return value.startsWith('`') ? `=${value.replaceAll('`', '')}` : ` (${value})`;
}
