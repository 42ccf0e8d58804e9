import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  findThirdParties,
  findUnaccepted,
  type LockedPackages,
  readThirdParties,
  thirdPartyPage,
  thirdPartyPagePath,
} from './third-party-page.ts';

describe('THIRD_PARTY.md', () => {
  it('equals the output of `npm run third-party`', async () => {
    expect(await readFile(thirdPartyPagePath, 'utf8')).toBe(await thirdPartyPage());
  });

  it('lists only accepted licenses', async () => {
    expect(findUnaccepted(await readThirdParties())).toEqual([]);
  });
});

describe('the check of third-party packages', () => {
  const packages: LockedPackages = {
    gateway: {
      devDependencies: { fastify: '5', vitest: '4' },
    },
    'gateway/pages': { devDependencies: { react: '19', vite: '8' } },
    prisma: { dependencies: { pg: '8' }, optionalDependencies: { odd: '1' } },
    'node_modules/fastify': { version: '5.1.0', license: 'MIT', dependencies: { cookie: '1' } },
    'node_modules/cookie': { version: '2.0.0', license: 'MIT' },
    'node_modules/fastify/node_modules/cookie': { version: '1.0.0', license: 'MIT' },
    'node_modules/react': { version: '19.0.0', license: 'MIT' },
    'node_modules/pg': { version: '8.0.0', license: 'GPL-3.0' },
    'node_modules/odd': { version: '1.0.0' },
    'node_modules/vite': { version: '8.0.0', license: 'MIT' },
    'node_modules/vitest': { version: '4.0.0', license: 'MIT' },
  };
  const found = findThirdParties(packages);

  it('returns the packages that run in production or are bundled, but no tools', () => {
    expect(found.map(({ name, version, uses }) => [name, version, uses])).toEqual([
      ['cookie', '1.0.0', ['gateway']],
      ['fastify', '5.1.0', ['gateway']],
      ['odd', '1.0.0', ['migrations']],
      ['pg', '8.0.0', ['migrations']],
      ['react', '19.0.0', ['pages']],
    ]);
  });

  it('reports packages with an unknown or missing license', () => {
    expect(findUnaccepted(found).map(({ name, license }) => [name, license])).toEqual([
      ['odd', 'missing'],
      ['pg', 'GPL-3.0'],
    ]);
  });
});
