import type { Setting, SettingsTable } from './settings.ts';

/** A setting, as shown in the documentation. With `--settings`, a process prints these rows. */
export interface SettingRow {
  readonly name: string;
  readonly description: string;
  readonly allowed: string;
  readonly example?: string | undefined;
  readonly default: string;
}

export function settingRows(table: SettingsTable): SettingRow[] {
  return Object.entries(table).map(([name, setting]) => ({
    name,
    description: setting.description,
    allowed: allowedOf(setting),
    example: setting.example,
    default: defaultOf(setting),
  }));
}

/**
 * Returns a Markdown table of the settings of several processes. A setting that several processes have is
 * one row. If its defaults differ, the row lists each default with its process.
 * @param rows the settings of each process, by the process's name
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
  const heads = ['Setting', 'Description', 'Allowed', 'Default', ...(count > 1 ? ['Process'] : [])];
  const rule = heads.map(() => '---');
  return [`| ${heads.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n').concat('\n');
}

/** Returns the parser's message for an invalid text. The message is empty if every text is valid. */
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
