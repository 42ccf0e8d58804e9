import { createLogger } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { parseHeaderRules } from './header-rules.ts';
import { createHeaderReturn } from './returned-headers.ts';

const log = createLogger('gateway', 'silent');

/** Returns the headers of an answer to a client, given those of subgraphs' answers in order. */
function returned(
  toClients: object[],
  ...answers: [string, Record<string, string | string[]>][]
): [string, string][] {
  const returning = createHeaderReturn(parseHeaderRules({ toClients }).rules, log);
  const collection = returning?.collect();
  for (const [subgraph, headers] of answers) {
    const found = returning?.from(subgraph)?.(headers);
    if (found) collection?.add(found);
  }
  expect(collection?.isEmpty).toBe(collection?.list().length === 0);
  return collection?.list() ?? [];
}

describe('returned headers', () => {
  it('are none without rules', () => {
    expect(createHeaderReturn({ toClients: [] }, log)).toBeUndefined();
  });

  it('are those that rules name, of the subgraphs that rules name', () => {
    const rules = [{ return: 'x-a', as: 'x-b', subgraphs: ['One'] }];
    const headers = { 'x-a': 'a', 'x-c': 'c' };
    expect(returned(rules, ['one', headers], ['two', headers])).toEqual([['x-b', 'a']]);
    expect(returned(rules, ['two', headers])).toEqual([]);
  });

  it('are all cookies, each as a header of its own', () => {
    const answers: [string, Record<string, string[]>][] = [
      ['one', { 'set-cookie': ['a=1, 2', 'b=2'] }],
      ['two', { 'set-cookie': ['a=1, 2', 'c=3'] }],
    ];
    expect(returned([{ return: 'set-cookie' }], ...answers)).toEqual([
      ['set-cookie', 'a=1, 2'],
      ['set-cookie', 'b=2'],
      ['set-cookie', 'c=3'],
    ]);
  });

  it.each([
    ['append', 'one, two'],
    ['first', 'one'],
    ['last', 'two'],
  ])('are merged by %s', (merge, value) => {
    const rules = [{ return: 'x-a', merge }];
    const answers = ['one', 'two'].map((name): [string, Record<string, string>] => [
      name,
      { 'x-a': name },
    ]);
    expect(returned(rules, ...answers)).toEqual([['x-a', value]]);
  });

  it('are dropped above 8 KiB', () => {
    const rules = [{ return: 'x-a' }, { return: 'x-b' }, { return: 'x-c', merge: 'last' }];
    const large = { 'x-a': 'a'.repeat(8_000), 'x-b': 'b'.repeat(200), 'x-c': 'c' };
    const names = returned(rules, ['one', large], ['two', { 'x-c': 'd' }]).map(([name]) => name);
    expect(names).toEqual(['x-a', 'x-c']);
  });
});
