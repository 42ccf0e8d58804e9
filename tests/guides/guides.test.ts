import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository } from '../docs/snippets.ts';
import { GUIDES, readGuide } from './read-guide.ts';

const CLIENT = '@gudang/client';

async function manifestIn(folder: string) {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}

describe.each(GUIDES)('the guide %s', (name) => {
  it('writes every file of its folder', async () => {
    const { files, steps } = await readGuide(name);
    const written = steps.flatMap((step) => ('file' in step ? [step.file] : []));
    expect(written.sort()).toEqual([...files.keys()].sort());
  });

  it('installs the packages of its package.json, and the client of this release', async () => {
    const { source, installed, steps } = await readGuide(name);
    const { dependencies, devDependencies } = await manifestIn(source);
    const { [CLIENT]: client, ...others } = { ...dependencies, ...devDependencies };
    expect([...installed].sort()).toEqual(Object.keys(others).sort());
    const { version } = await manifestIn(join(repository, 'packages/client'));
    const tarball = `gudang-client-${version}.tgz`;
    expect(client).toBe(`file:${tarball}`);
    expect(steps).toContainEqual({
      command: expect.stringMatching(`^npm install \\./${tarball.replaceAll('.', '\\.')} `),
    });
  });
});

it('the live part of the React guide has at most ten lines, beside closing tags and brackets', async () => {
  const { files } = await readGuide('react');
  const code = `${files.get('src/main.tsx')}${files.get('src/stocks.tsx')}`;
  const [call = ''] = /^ *const .*useLiveList\([\s\S]*?^ *\}\);$/m.exec(code) ?? [];
  const others = code.match(/^.*(?:createClient\(|<LiveProvider ).*$/gm) ?? [];
  const lines = [...call.split('\n'), ...others].filter((line) => !/^ *[)}\]]+;?$/.test(line));
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.length).toBeLessThanOrEqual(10);
});

it('the lock file of all guides contains no registry URL', async () => {
  const text = await readFile(join(repository, 'tests/guides/package-lock.json'), 'utf8');
  expect(text).not.toMatch(/https?:.*\.tgz/);
});
