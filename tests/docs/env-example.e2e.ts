import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { envExample, envExamplePath } from './env-example.ts';

describe('.env.example', () => {
  it('is current; `npm run settings` writes it', async () => {
    expect(await readFile(envExamplePath, 'utf8')).toBe(await envExample());
  });

  it('sets nothing until a line is uncommented', async () => {
    const lines = (await envExample()).split('\n').filter((line) => !/^(#.*)?$/.test(line));
    expect(lines).toEqual([]);
  });
});
