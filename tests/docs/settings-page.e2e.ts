import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  configurationPage,
  configurationPagePath,
  settingsPage,
  settingsPagePath,
} from './settings-page.ts';

it('docs/SETTINGS.md equals the output of `npm run settings`', async () => {
  expect(await readFile(settingsPagePath, 'utf8')).toBe(await settingsPage());
});

it('the configuration reference of the gateway equals the output of `npm run settings`', async () => {
  expect(await readFile(configurationPagePath, 'utf8')).toBe(await configurationPage());
});
