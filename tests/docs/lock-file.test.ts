import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { satisfies } from 'semver';
import { describe, expect, it } from 'vitest';
import { repository } from './snippets.ts';

/** Lowest Node version that package.json allows, and the Node version of the images and documents. */
const NODE_VERSIONS = ['20.19.0', '24.0.0'];

interface LockedPackage {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  engines?: { node?: string };
  link?: boolean;
  resolved?: string;
}

const lockFile: { packages: Record<string, LockedPackage> } = JSON.parse(
  await readFile(join(repository, 'package-lock.json'), 'utf8'),
);
const lockedPackages = Object.entries(lockFile.packages);

describe('package-lock.json', () => {
  it.each(NODE_VERSIONS)('contains only packages that support Node %s', (version) => {
    const unsupported = lockedPackages
      .filter(([, { engines }]) => !satisfies(version, engines?.node ?? '*'))
      .map(([path, { engines }]) => `${path} needs ${engines?.node}`);
    expect(unsupported).toEqual([]);
  });

  it('gives every workspace the version of the release', () => {
    const { version } = lockFile.packages[''] ?? {};
    const workspaces = lockedPackages.filter(([path]) => !path.includes('node_modules/'));
    const others = workspaces.flatMap(([path, workspace]) =>
      [
        workspace.version,
        ...Object.entries({ ...workspace.dependencies, ...workspace.devDependencies })
          .filter(([name]) => name.startsWith('@gudang/'))
          .map(([, wanted]) => wanted),
      ]
        .filter((found) => found !== version)
        .map((found) => `${path}: ${found}`),
    );
    expect(others).toEqual([]);
  });

  it('contains no registry URL', () => {
    const addresses = lockedPackages.filter(([, { link, resolved }]) => resolved && !link);
    expect(addresses).toEqual([]);
  });
});

it('no script of the root package runs turbo directly, which would print its banner', async () => {
  const { scripts } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  const direct = Object.values<string>(scripts).filter((script) =>
    /\bturbo (run )?\w/.test(script),
  );
  expect(direct).toEqual([]);
});
