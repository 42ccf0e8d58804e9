import type { Setting, SettingsTable } from './settings.ts';

/**
 * The tables of several processes as one table in Markdown; a setting that several have is there
 * once. Where their defaults differ, each is named with its process.
 * @param tables by the name of the process
 */
export function settingsMarkdown(tables: Readonly<Record<string, SettingsTable>>): string {
  const byName = new Map<string, { process: string; setting: Setting }[]>();
  for (const [process, table] of Object.entries(tables)) {
    for (const [name, setting] of Object.entries(table)) {
      byName.set(name, [...(byName.get(name) ?? []), { process, setting }]);
    }
  }
  const count = Object.keys(tables).length;
  const rows = [...byName].map(([name, uses]) => {
    const [{ setting } = { setting: undefined }] = uses;
    if (setting === undefined) return '';
    const users = uses.length === count ? 'all' : uses.map(({ process }) => process).join(', ');
    const cells = [
      `\`${name}\``,
      setting.description,
      allowedOf(setting),
      defaultOf(uses),
      ...(count > 1 ? [users] : []),
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  const heads = ['Setting', 'What it is', 'Allowed', 'Default', ...(count > 1 ? ['Of'] : [])];
  const rule = heads.map(() => '---');
  return [`| ${heads.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...rows].join('\n').concat('\n');
}

/** What the parser says to a text that no setting takes; nothing where any text will do. */
function allowedOf({ parse, example }: Setting): string {
  const refused = parse.safeParse('\u0000');
  const allowed = refused.success ? '' : (refused.error.issues[0]?.message ?? '');
  const shown = example === undefined ? '' : `such as \`${example}\``;
  return [allowed, shown].filter((part) => part !== '').join(', ');
}

function defaultOf(uses: readonly { process: string; setting: Setting }[]): string {
  const defaults = new Set(uses.map(({ setting }) => setting.default));
  if (defaults.size > 1) {
    return uses.map(({ process, setting }) => `${shown(setting)} (${process})`).join(', ');
  }
  const [first] = uses;
  return first === undefined ? '' : shown(first.setting);
}

function shown(setting: Setting): string {
  if (setting.default === undefined) return setting.optional ? 'none' : 'required';
  return setting.default === '' ? 'empty' : `\`${setting.default}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
