import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const LIVE = import.meta.dirname;
/** Each folder may import only from itself and from later folders in this list. */
const LAYERS = ['transports', 'fanout', 'upstream', 'planning'];

const sources = readdirSync(LIVE, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && !/\.(int|test)\.ts$/.test(path),
);

/** Returns the files of `live/` that a file imports, relative to `live/`. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(LIVE, file), 'utf8');
  return [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)]
    .map(([, path = '']) => relative(LIVE, resolve(LIVE, dirname(file), path)))
    .filter((path) => !path.startsWith('..'));
}

const folderOf = (path: string): string => path.split(sep)[0] ?? '';
const transportOf = (path: string): string | undefined =>
  /^transports[\\/](\w+)[\\/]/.exec(path)?.[1];

describe('the folders of live/', () => {
  it('contain every source file', () => {
    expect(sources.length).toBeGreaterThan(25);
    expect([...new Set(sources.map(folderOf))].sort()).toEqual([...LAYERS].sort());
  });

  it('import in one direction', () => {
    const backwards = sources.flatMap((file) =>
      importsOf(file)
        .filter((to) => LAYERS.indexOf(folderOf(to)) < LAYERS.indexOf(folderOf(file)))
        .map((to) => `${file} imports ${to}`),
    );
    expect(backwards).toEqual([]);
  });

  it('do not import from one transport into another', () => {
    const crossing = sources.flatMap((file) =>
      importsOf(file).filter((imported) => {
        const [from, to] = [transportOf(file), transportOf(imported)];
        return from !== undefined && to !== undefined && from !== to;
      }),
    );
    expect(crossing).toEqual([]);
  });
});
