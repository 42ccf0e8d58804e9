import { writeFile } from 'node:fs/promises';
import { accessPage, accessPagePath } from './access-page.ts';
import { schemaPage, schemaPagePath } from './schema-page.ts';

await writeFile(schemaPagePath, await schemaPage());
await writeFile(accessPagePath, await accessPage());
