import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RefusedRow } from './apply-batch.ts';
import { appendRefused } from './report.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('appendRefused', () => {
  const refusedRow = (number: number): RefusedRow => {
    const refusal = { code: 'NOT_FOUND', message: 'None.' };
    const raw = { number, values: { id: `stock-${number}` } };
    return { row: { raw, parsed: { refusal } }, refusal };
  };
  const append = (size: number, ...numbers: readonly number[]) =>
    appendRefused(join(folder, 'report'), {
      ...{ format: 'csv' as const, columns: ['id'], size },
      refused: numbers.map(refusedRow),
    });
  const rows = async () =>
    (await readFile(join(folder, 'report'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split(',')[1]);

  it('replaces the rows of a batch that a killed run had not recorded', async () => {
    const size = await append(0, 1, 2);
    await append(size, 3, 4);
    await append(size, 3, 4);
    expect(await rows()).toEqual(['row', '1', '2', '3', '4']);
    await append(0, 9);
    expect(await rows()).toEqual(['row', '9']);
  });

  it('writes the header again if the report was removed', async () => {
    const size = await append(0, 1);
    await rm(join(folder, 'report'));
    await append(size, 2);
    expect(await rows()).toEqual(['row', '2']);
  });
});
