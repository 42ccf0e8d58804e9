import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from './snippets.ts';

async function readPackages(): Promise<string[]> {
  const { workspaces } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  const directories = await Promise.all(
    (workspaces as string[]).map(async (workspace) => {
      const parent = workspace.replace(/\/?\*$/, '');
      if (parent === workspace) return [workspace];
      return (await readdir(join(repository, parent), { withFileTypes: true }))
        .map(({ name }) => join(parent, name))
        .filter((directory) => existsSync(join(repository, directory, 'package.json')));
    }),
  );
  return ['.', ...directories.flat()];
}
/** Packages of this repository, and packages that contain only types. */
const NEEDS_NO_REASON = /^@(gudang|types)\//;

async function librariesOf(directory: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(repository, directory, 'package.json'), 'utf8'));
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
}

it('docs/libraries.md gives a reason for every library', async () => {
  const reasons = await readFile(join(repository, 'docs/libraries.md'), 'utf8');
  const libraries = new Set((await Promise.all((await readPackages()).map(librariesOf))).flat());
  // One line may give the reason for all libraries of a scope, such as `@opentelemetry`.
  const unnamed = [...libraries].filter(
    (name) =>
      !NEEDS_NO_REASON.test(name) && !name.split('/').some((part) => reasons.includes(part)),
  );
  expect(unnamed).toEqual([]);
});
