import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SettingRow } from '@gudang/runtime/settings';

const MARK = '# All other settings with their defaults; `npm run settings` writes this list.';

/** Returns the path of the file with a service's settings for Kubernetes. */
export function deploySettingsPath(service: string): string {
  return fileURLToPath(new URL(`../../k8s/base/settings/${service}.env`, import.meta.url));
}

/** Returns the names of the settings that a settings file sets. */
export function namesSet(file: string): string[] {
  return file.split('\n').flatMap((line) => /^([A-Z]\w*)=/.exec(line)?.[1] ?? []);
}

/**
 * Returns the content that a service's settings file must have: first the settings that are written by
 * hand, then all other settings as comments with their defaults.
 */
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

/** Formats a default value without its backquotes. The words `none` and `required` are put in parentheses. */
function shownValue({ default: value }: SettingRow): string {
  return value.startsWith('`') ? `=${value.replaceAll('`', '')}` : ` (${value})`;
}
