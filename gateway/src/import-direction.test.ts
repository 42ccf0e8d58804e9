import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = import.meta.dirname;
const folderOf = (path: string): string => path.split(sep)[0] ?? '';

/** Returns the imports between folders, such as `live → limits`. */
function findImports(): Map<string, Set<string>> {
  const imports = new Map<string, Set<string>>();
  const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
    (path) =>
      path.endsWith('.ts') && !/\.(int|test)\.ts$/.test(path) && !path.startsWith('testing'),
  );
  for (const file of sources) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:from|import) '(\.[^']+)'/g)) {
      const to = folderOf(relative(ROOT, resolve(ROOT, dirname(file), path)));
      const from = folderOf(file);
      if (from !== to) imports.set(from, (imports.get(from) ?? new Set()).add(to));
    }
  }
  return imports;
}

/** Returns the folders along a cycle of imports; undefined if there is none. */
function findCycle(imports: Map<string, Set<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (folder: string, path: string[]): string[] | undefined => {
    if (path.includes(folder)) return [...path.slice(path.indexOf(folder)), folder];
    if (done.has(folder)) return undefined;
    for (const to of imports.get(folder) ?? []) {
      const cycle = visit(to, [...path, folder]);
      if (cycle) return cycle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of imports.keys()) {
    const cycle = visit(folder, []);
    if (cycle) return cycle;
  }
  return undefined;
}

it('imports between the folders of the gateway form no cycle', () => {
  const imports = findImports();
  expect(imports.size).toBeGreaterThan(15);
  expect(findCycle(imports)).toBeUndefined();
});

it('a cycle of imports is found', () => {
  const cyclic = new Map([
    ['a', new Set(['b', 'c'])],
    ['b', new Set(['c'])],
    ['c', new Set(['d'])],
    ['d', new Set(['b'])],
  ]);
  expect(findCycle(cyclic)).toEqual(['b', 'c', 'd', 'b']);
});
