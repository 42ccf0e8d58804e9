import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { settingsPage, settingsPagePath } from './settings-page.ts';

it('SETTINGS.md is what the code says; `npm run settings` writes it anew', async () => {
  expect(await readFile(settingsPagePath, 'utf8')).toBe(await settingsPage());
});
