import { fileURLToPath } from 'node:url';
import { startSettingsTable } from '@gudang/embedded';
import { type SettingRow, settingsMarkdown } from '@gudang/runtime/settings';
import { runScript } from '@gudang/testing/system/run-script';

export const SERVICES = ['gateway', 'order-subgraph', 'stock-subgraph'];

/** Path of docs/SETTINGS.md. */
export const settingsPagePath = fileURLToPath(new URL('../../docs/SETTINGS.md', import.meta.url));

/** Path of gateway/docs/configuration.md. */
export const configurationPagePath = fileURLToPath(
  new URL('../../gateway/docs/configuration.md', import.meta.url),
);

/** Reads a service's settings from the output of its option `--settings`. */
export async function rowsOf(service: string): Promise<SettingRow[]> {
  const script = fileURLToPath(new URL(`../../${service}/dist/main.js`, import.meta.url));
  const { stdout, code, stderr } = await runScript(script, {}, { args: ['--settings'] });
  if (code !== 0) throw new Error(`${service} --settings failed: ${stderr}`);
  return JSON.parse(stdout);
}

/** Returns the settings that `npm start` itself reads. */
export function startRows(): SettingRow[] {
  return Object.entries(startSettingsTable).map(([name, setting]) => ({
    name,
    description: setting.description,
    allowed: '',
    default: 'default' in setting ? `\`${setting.default}\`` : 'none',
  }));
}

/** Returns the content of docs/SETTINGS.md, generated from the code. */
export async function settingsPage(): Promise<string> {
  const rows: Record<string, SettingRow[]> = {};
  for (const service of SERVICES) rows[service] = await rowsOf(service);
  return `# Settings

Settings are environment variables. A process reads them once at start and reports all invalid values in
one list. Generated from the code by \`npm run settings\`.

## The services

${settingsMarkdown(rows)}
## npm start

\`npm start\` passes all settings above to the services, except the ports.

${settingsMarkdown({ start: startRows() })}`;
}

/** Returns the content of gateway/docs/configuration.md, which is published with the gateway. */
export async function configurationPage(): Promise<string> {
  return `# Configuration

Each setting is an environment variable, and an option of \`gudang-gateway\`: \`LIVE_HISTORY_KIB=256\` is
\`--live-history-kib 256\`. An option takes precedence. Secrets are accepted from the environment only. The gateway reads
its settings once at start and reports all invalid values in one list. \`gudang-gateway --check\` only checks them.
Generated from the code.

${settingsMarkdown({ gateway: await rowsOf('gateway') })}`;
}
