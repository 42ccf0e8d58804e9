import { writeFile } from 'node:fs/promises';
import { thirdPartyPage, thirdPartyPagePath } from './third-party-page.ts';

await writeFile(thirdPartyPagePath, await thirdPartyPage());
