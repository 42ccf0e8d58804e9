import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../docs/snippets.ts';

const gateway = (file: string) => readFile(join(repository, 'gateway', file), 'utf8');
/** Names in capitals in the documentation of other gateways, and error codes. */
const OTHERS = /^(?:APOLLO_\w+|LIMIT_EXCEEDED|SCHEMA_RELOAD)$/;

it.each(['README.md', 'docs/migrating.md'])('%s names only settings that exist', async (page) => {
  const rows = (await gateway('docs/configuration.md')).matchAll(/^\| `([A-Z_\d]+)`/gm);
  const settings = new Set([...rows].map(([, name = '']) => name));
  expect(settings.size).toBeGreaterThan(40);
  const named = [...(await gateway(page)).matchAll(/`([A-Z]+_[A-Z_\d]+)(?:=[^`]*)?`/g)];
  const unknown = named.map(([, name = '']) => name).filter((name) => !settings.has(name));
  expect(unknown.filter((name) => !OTHERS.test(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(3);
});
