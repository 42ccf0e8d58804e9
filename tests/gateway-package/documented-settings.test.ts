import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../docs/snippets.ts';

const folder = join(repository, 'gateway/docs');
/** Names in capitals that are no settings of the gateway: error codes, and variables of others. */
const OTHERS =
  /^(?:[A-Z]+|APOLLO_\w+|SCHEMA_RELOAD|ARGUMENT_DEFINITION|FIELD_DEFINITION|INPUT_FIELD_DEFINITION|(?:BAD|LIMIT|TOO|RATE|WEBSOCKET|GOING|QUERY|PERSISTED|CURSOR|IDEMPOTENCY)_\w*(?:INPUT|REQUEST|EXCEEDED|ERRORS|LIMITED|ERROR|AWAY|LIST|SAFELIST|EXPIRED|CONFLICT))$/;

it('the documentation of the gateway names only settings that exist', async () => {
  const configuration = await readFile(join(folder, 'configuration.md'), 'utf8');
  const settings = new Set(
    [...configuration.matchAll(/^\| `([A-Z_\d]+)`/gm)].map(([, name]) => name),
  );
  expect(settings.size).toBeGreaterThan(40);
  const unknown: string[] = [];
  for (const page of ['../README.md', ...(await readdir(folder))]) {
    const text = await readFile(join(folder, page), 'utf8');
    for (const [, name = ''] of text.matchAll(/`([A-Z][A-Z_\d]+)(?:=[^`]*)?`/g)) {
      if (!settings.has(name) && !OTHERS.test(name)) unknown.push(`${page}: ${name}`);
    }
  }
  expect(unknown).toEqual([]);
});
