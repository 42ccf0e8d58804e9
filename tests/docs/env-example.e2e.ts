import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { envExample, envExamplePath } from './env-example.ts';

describe('.env.example', () => {
  it('equals the output of `npm run settings`', async () => {
    expect(await readFile(envExamplePath, 'utf8')).toBe(await envExample());
  });

  it('contains only comments', async () => {
    const lines = (await envExample()).split('\n').filter((line) => !/^(#.*)?$/.test(line));
    expect(lines).toEqual([]);
  });
});
