import { writeFile } from 'node:fs/promises';
import { composeFile, composePath } from './compose-settings.ts';
import { deploySettings, deploySettingsPath } from './deploy-settings.ts';
import { envExample, envExamplePath } from './env-example.ts';
import {
  configurationPage,
  configurationPagePath,
  rowsOf,
  SERVICES,
  settingsPage,
  settingsPagePath,
} from './settings-page.ts';

await writeFile(settingsPagePath, await settingsPage());
await writeFile(configurationPagePath, await configurationPage());
await writeFile(composePath, await composeFile());
await writeFile(envExamplePath, await envExample());
for (const service of SERVICES) {
  await writeFile(
    deploySettingsPath(service),
    await deploySettings(service, await rowsOf(service)),
  );
}
