import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './snippets.ts';

const PACKAGES = [
  '.',
  'gateway',
  'gateway/pages',
  'order-subgraph',
  'stock-subgraph',
  'prisma',
  'packages/events',
  'packages/service',
  'packages/embedded',
  'tests',
];
/** Our own packages, and packages of types only. */
const NEEDS_NO_REASON = /^@(gudang|types)\//;

async function librariesOf(directory: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(repository, directory, 'package.json'), 'utf8'));
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
}

it('docs/libraries.md gives a reason for every library', async () => {
  const reasons = await readFile(join(repository, 'docs/libraries.md'), 'utf8');
  const libraries = new Set((await Promise.all(PACKAGES.map(librariesOf))).flat());
  // Libraries of one scope may share a line, such as `@opentelemetry`.
  const unnamed = [...libraries].filter(
    (name) =>
      !NEEDS_NO_REASON.test(name) && !name.split('/').some((part) => reasons.includes(part)),
  );
  expect(unnamed).toEqual([]);
});
