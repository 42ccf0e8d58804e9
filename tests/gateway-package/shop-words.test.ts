import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../docs/snippets.ts';
import { SHOP_WORDS } from './shop-words.ts';

it('the sources of the gateway contain no words of the shop', async () => {
  const folder = join(repository, 'gateway/src');
  const files = (await readdir(folder, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !/\.(?:test|int)\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(100);
  const found: string[] = [];
  for (const file of files) {
    const [word] = SHOP_WORDS.exec(await readFile(join(folder, file), 'utf8')) ?? [];
    if (word !== undefined) found.push(`${file}: ${word}`);
  }
  expect(found).toEqual([]);
});

it.each(['stockChanged', 'a stock', 'createOrder', 'order_db', 'Kopi Gayo'])(
  'the words include those of %s',
  (text) => expect(text).toMatch(SHOP_WORDS),
);

it.each(['in order of arrival', 'stocking', 'border', 'orderBy'])(
  'the words do not include those of %s',
  (text) => expect(text).not.toMatch(SHOP_WORDS),
);
