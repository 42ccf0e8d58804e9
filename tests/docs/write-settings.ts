import { writeFile } from 'node:fs/promises';
import { deploySettings, deploySettingsPath } from './deploy-settings.ts';
import { rowsOf, SERVICES, settingsPage, settingsPagePath } from './settings-page.ts';

await writeFile(settingsPagePath, await settingsPage());
for (const service of SERVICES) {
  await writeFile(
    deploySettingsPath(service),
    await deploySettings(service, await rowsOf(service)),
  );
}
