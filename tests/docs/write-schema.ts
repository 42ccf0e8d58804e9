import { writeFile } from 'node:fs/promises';
import { schemaPage, schemaPagePath } from './schema-page.ts';

await writeFile(schemaPagePath, await schemaPage());
