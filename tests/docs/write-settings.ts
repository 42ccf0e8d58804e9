import { writeFile } from 'node:fs/promises';
import { settingsPage, settingsPagePath } from './settings-page.ts';

await writeFile(settingsPagePath, await settingsPage());
