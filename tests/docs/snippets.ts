import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Snippet {
  /** File and line of the snippet, for example `gateway/README.md:12`. */
  readonly location: string;
  /** Language that the code block names. Empty for diagrams. */
  readonly language: string;
  readonly text: string;
}

export const repository = fileURLToPath(new URL('../../', import.meta.url));
/** Files and folders to skip. settings-page.e2e.ts checks SETTINGS.md instead. */
const SKIPPED = /^(node_modules|dist|generated|\..*|SETTINGS\.md)$/;

/** Returns the paths of all documentation pages, relative to the repository. */
export async function findPages(directory = repository): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !SKIPPED.test(name))
      .map(async (entry) => {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) return findPages(path);
        return entry.name.endsWith('.md') ? [relative(repository, path)] : [];
      }),
  );
  return found.flat().sort();
}

/** Returns the fenced code blocks of a page, in order. */
export async function readSnippets(page: string): Promise<Snippet[]> {
  const lines = (await readFile(join(repository, page), 'utf8')).split('\n');
  const snippets: Snippet[] = [];
  let open: { line: number; language: string; text: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('```')) open?.text.push(line);
    else if (open) {
      snippets.push({
        location: `${page}:${open.line}`,
        language: open.language,
        text: open.text.join('\n'),
      });
      open = undefined;
    } else open = { line: index + 1, language: line.slice(3).trim(), text: [] };
  }
  if (open) throw new Error(`${page}:${open.line}: the code block is not closed`);
  return snippets;
}
