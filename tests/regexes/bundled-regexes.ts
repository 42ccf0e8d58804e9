import { readdir, readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAst } from 'vitest/node';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const SERVICES = ['gateway', 'order-subgraph', 'stock-subgraph'];

/** A regular expression in the code that a service runs. */
export interface BundledRegex {
  readonly source: string;
  readonly flags: string;
  /** The libraries that contain it; `gudang` for this repository. */
  readonly libraries: ReadonlySet<string>;
}

/** A call of RegExp whose pattern is not a literal. */
export interface DynamicRegex {
  readonly library: string;
  readonly file: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly value?: unknown;
  readonly regex?: { readonly pattern: string; readonly flags: string };
  readonly callee?: { readonly name?: string };
  readonly arguments?: readonly Node[];
}

/** Finds the regular expressions of all services' bundles, including those of libraries. */
export async function findBundledRegexes() {
  const found = new Map<string, { source: string; flags: string; libraries: Set<string> }>();
  const dynamic: DynamicRegex[] = [];
  for (const path of await bundledFiles()) {
    const text = await readFile(path, 'utf8');
    const fileOf = createLookup(text, JSON.parse(await readFile(`${path}.map`, 'utf8')));
    visit(parseAst(text), (node) => {
      const regex = regexIn(node);
      if (regex === undefined) return;
      const file = fileOf(node.start);
      const library = libraryOf(file);
      if (regex === 'dynamic') {
        dynamic.push({ library, file });
        return;
      }
      const key = `/${regex.source}/${regex.flags}`;
      const known = found.get(key) ?? { ...regex, libraries: new Set<string>() };
      found.set(key, known);
      known.libraries.add(library);
    });
  }
  return { regexes: [...found.values()] as readonly BundledRegex[], dynamic };
}

async function bundledFiles(): Promise<string[]> {
  const files = await Promise.all(
    SERVICES.map(async (service) => {
      const directory = join(REPOSITORY, service, 'dist');
      return (await readdir(directory))
        .filter((name) => name.endsWith('.js'))
        .map((name) => join(directory, name));
    }),
  );
  return files.flat();
}

function visit(node: unknown, enter: (node: Node) => void): void {
  if (Array.isArray(node)) for (const one of node) visit(one, enter);
  else if (typeof node === 'object' && node !== null) {
    if ('type' in node) enter(node as Node);
    for (const value of Object.values(node)) visit(value, enter);
  }
}

function regexIn(node: Node): { source: string; flags: string } | 'dynamic' | undefined {
  if (node.regex) return { source: node.regex.pattern, flags: node.regex.flags };
  const isCall = node.type === 'NewExpression' || node.type === 'CallExpression';
  if (!isCall || node.callee?.name !== 'RegExp') return undefined;
  const [source, flags] = (node.arguments ?? []).map(({ value }) => value);
  if (typeof source !== 'string') return 'dynamic';
  return { source, flags: typeof flags === 'string' ? flags : '' };
}

/** Returns a function that finds the original file of a position in a bundle. */
function createLookup(text: string, map: ConstructorParameters<typeof SourceMap>[0]) {
  const sourceMap = new SourceMap(map);
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (position: number): string => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    const entry = sourceMap.findEntry(low, position - (starts[low] ?? 0));
    return 'originalSource' in entry ? entry.originalSource : '';
  };
}

function libraryOf(file: string): string {
  const path = file.split('node_modules/').at(-1) ?? '';
  if (path === file) return 'gudang';
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/');
}
