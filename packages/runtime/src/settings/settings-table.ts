import type { Setting, SettingsTable } from './settings.ts';

/** A setting as people read it: plain data, which a process can print of itself. */
export interface SettingRow {
  readonly name: string;
  readonly description: string;
  readonly allowed: string;
  readonly default: string;
}

export function settingRows(table: SettingsTable): SettingRow[] {
  return Object.entries(table).map(([name, setting]) => ({
    name,
    description: setting.description,
    allowed: allowedOf(setting),
    default: defaultOf(setting),
  }));
}

/**
 * The settings of several processes as one table in Markdown; a setting that several have is
 * there once. Where their defaults differ, each is named with its process.
 * @param rows by the name of the process
 */
export function settingsMarkdown(rows: Readonly<Record<string, readonly SettingRow[]>>): string {
  const byName = new Map<string, { process: string; row: SettingRow }[]>();
  for (const [process, ofProcess] of Object.entries(rows)) {
    for (const row of ofProcess) {
      byName.set(row.name, [...(byName.get(row.name) ?? []), { process, row }]);
    }
  }
  const count = Object.keys(rows).length;
  const lines = [...byName].map(([name, uses]) => {
    const users = uses.length === count ? 'all' : uses.map(({ process }) => process).join(', ');
    const cells = [
      `\`${name}\``,
      uses[0]?.row.description ?? '',
      uses[0]?.row.allowed ?? '',
      defaultsOf(uses),
      ...(count > 1 ? [users] : []),
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  const heads = ['Setting', 'What it is', 'Allowed', 'Default', ...(count > 1 ? ['Of'] : [])];
  const rule = heads.map(() => '---');
  return [`| ${heads.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n').concat('\n');
}

/** What the parser says to a text that no setting takes; nothing where any text will do. */
function allowedOf({ parse, example }: Setting): string {
  const refused = parse.safeParse('\u0000');
  const allowed = refused.success ? '' : (refused.error.issues[0]?.message ?? '');
  const shown = example === undefined ? '' : `such as \`${example}\``;
  return [allowed, shown].filter((part) => part !== '').join(', ');
}

function defaultOf(setting: Setting): string {
  if (setting.default === undefined) return setting.optional ? 'none' : 'required';
  return setting.default === '' ? 'empty' : `\`${setting.default}\``;
}

function defaultsOf(uses: readonly { process: string; row: SettingRow }[]): string {
  const [first, ...others] = uses;
  if (others.every(({ row }) => row.default === first?.row.default))
    return first?.row.default ?? '';
  return uses.map(({ process, row }) => `${row.default} (${process})`).join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
