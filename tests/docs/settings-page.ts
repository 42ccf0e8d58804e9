import { fileURLToPath } from 'node:url';
import { startSettingsTable } from '@gudang/embedded';
import { type SettingRow, settingsMarkdown } from '@gudang/runtime/settings';
import { runScript } from '@gudang/testing/system/run-script';

export const SERVICES = ['gateway', 'order-subgraph', 'stock-subgraph'];

/** Where the page is kept. */
export const settingsPagePath = fileURLToPath(new URL('../../docs/SETTINGS.md', import.meta.url));

/** Each process tells its own settings. */
export async function rowsOf(service: string): Promise<SettingRow[]> {
  const script = fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));
  const { stdout, code, stderr } = await runScript(script, {}, { args: ['--settings'] });
  if (code !== 0) throw new Error(`${service} --settings failed: ${stderr}`);
  return JSON.parse(stdout);
}

function startRows(): SettingRow[] {
  return Object.entries(startSettingsTable).map(([name, setting]) => ({
    name,
    description: setting.description,
    allowed: '',
    default: 'default' in setting ? `\`${setting.default}\`` : 'none',
  }));
}

/** SETTINGS.md as the code has it today. */
export async function settingsPage(): Promise<string> {
  const rows: Record<string, SettingRow[]> = {};
  for (const service of SERVICES) rows[service] = await rowsOf(service);
  return `# Settings

All settings come from the environment, are read once, and are checked together: whatever is wrong is
reported in one list. Generated from the code by \`npm run settings\`.

## The services

${settingsMarkdown(rows)}
## npm start

Passed on to the services are all of the above, except that each gets its own port.

${settingsMarkdown({ start: startRows() })}`;
}
