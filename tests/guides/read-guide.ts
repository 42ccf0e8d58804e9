import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { readSnippets, repository } from '../docs/snippets.ts';

/** Folders of docs/guides. */
export const GUIDES = ['react', 'javascript', 'apollo', 'urql', 'node-worker'] as const;
export type GuideName = (typeof GUIDES)[number];

/** A step that the README tells the reader to do: a command, or a file to write. */
export type Step =
  | { readonly command: string }
  | { readonly file: string; readonly content: string };

export interface Guide {
  readonly name: GuideName;
  /** Absolute path of the guide's folder in the repository. */
  readonly source: string;
  /** Folder that the README creates, such as `../my-react-app`. */
  readonly created: string;
  /** All steps in the order of the README. */
  readonly steps: readonly Step[];
  /** Content of the guide's files by path, without README and package.json. */
  readonly files: ReadonlyMap<string, string>;
  /** Names of the packages that the README installs, without the client's tarball. */
  readonly installed: readonly string[];
}

const NOT_IN_README = new Set(['README.md', 'package.json']);
/** What the commands of a guide write, if they were run in its folder: see docs/guides/.gitignore. */
const WRITTEN =
  /(?:^|\/)(?:node_modules|dist|gql)\/|\.tgz$|^package-lock\.json$|^schema\.graphql$|graphql-env\.d\.ts$|^cursor/;

/**
 * Reads a guide's README. A code block whose content equals a file of the folder is the step that writes the file.
 * @throws {Error} if a code block equals no file
 */
export async function readGuide(name: GuideName): Promise<Guide> {
  const source = join(repository, 'docs/guides', name);
  const files = await readFiles(source);
  const paths = new Map([...files].map(([path, content]) => [content.trimEnd(), path]));
  const snippets = await readSnippets(join('docs/guides', name, 'README.md'));
  const steps = snippets.flatMap(({ language, text, location }): Step[] => {
    if (language === 'sh') return commandsIn(text).map((command) => ({ command }));
    const file = paths.get(text);
    if (file === undefined) throw new Error(`${location}: no file of ${source} has this content`);
    return [{ file, content: `${text}\n` }];
  });
  const commands = steps.flatMap((step) => ('command' in step ? [step.command] : []));
  const created = commands.find((command) => command.startsWith('mkdir ../'))?.slice(6);
  if (created === undefined) throw new Error(`${source}: the README creates no folder`);
  const installed = commands
    .filter((command) => command.startsWith('npm install '))
    .flatMap((command) => command.split(' ').slice(2))
    .filter((word) => !/^(?:-|\.\/)/.test(word))
    .map((word) => word.replace(/(?<=.)@\d.*$/, ''));
  return { name, source, created, steps, files, installed };
}

function commandsIn(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

async function readFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .filter((path) => !NOT_IN_README.has(path) && !WRITTEN.test(path));
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')] as const),
    ),
  );
}
