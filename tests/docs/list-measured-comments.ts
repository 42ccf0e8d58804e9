/**
 * Lists every comment that holds a figure, an issue number or a URL, one per line: path:line, a tab, text.
 * Comments with measurements are the reasons for the code below them; a rewrite must not lose one.
 *
 *   tsx tests/docs/list-measured-comments.ts                           the working tree
 *   tsx tests/docs/list-measured-comments.ts 370c245                   a commit
 *   tsx tests/docs/list-measured-comments.ts --missing-since 370c245   comments of that commit whose figures
 *     no single comment and no page (*.md) of the working tree holds together any more
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { stdout } from 'node:process';

interface MeasuredComment {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Each pattern matches strings too, so that `//` in a string starts no comment; group 1 is the comment. */
const SLASHES =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?[{};]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/|(\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*)/g;
const HASHES = /"""[\s\S]*?"""|(?<=^|\s)(#[^\n]*(?:\n[ \t]*#[^\n]*)*)/gm;
const GRAPHQL = /("""[\s\S]*?"""|#[^\n]*(?:\n[ \t]*#[^\n]*)*|(?<=^\s*)"[^"\n]+"$)/gm;
const SQL = /'(?:''|[^'])*'|(\/\*[\s\S]*?\*\/|--[^\n]*(?:\n[ \t]*--[^\n]*)*)/g;

const PATTERNS: Readonly<Record<string, RegExp>> = {
  '.ts': SLASHES,
  '.tsx': SLASHES,
  '.js': SLASHES,
  '.mjs': SLASHES,
  '.css': SLASHES,
  '.prisma': SLASHES,
  '.graphql': GRAPHQL,
  '.sql': SQL,
  '.yaml': HASHES,
  '.yml': HASHES,
  '.sh': HASHES,
  '.env': HASHES,
  '.cfg': HASHES,
};
const HASHED_FILES = /(?:^|\/)(?:Dockerfile|\.dockerignore|\.ci\/run)$/;
/** A number that no letter precedes (W3C and sha256 are names), an issue number, or an address. */
const FIGURE = /(?<![\w.])#?\d[\d.,_]*(?<![.,])|https?:\/\/\S+/g;

const git = (...args: string[]): string =>
  execFileSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 28 });

function patternOf(path: string): RegExp | undefined {
  return HASHED_FILES.test(path) ? HASHES : PATTERNS[extname(path)];
}

function filesOf(commit: string | undefined): string[] {
  const listed = commit
    ? git('ls-tree', '-r', '--name-only', '--full-tree', commit)
    : git('ls-files', '--full-name');
  return listed.split('\n').filter((path) => path !== '');
}

function measuredCommentsOf(commit?: string): MeasuredComment[] {
  return filesOf(commit).flatMap((path) => {
    const pattern = patternOf(path);
    if (!pattern) return [];
    const source = commit ? git('show', `${commit}:${path}`) : readFileSync(path, 'utf8');
    return [...source.matchAll(pattern)].flatMap((match) => {
      const text = (match[1] ?? '')
        .replace(/(?:\s*\n[ \t]*(?:\*(?!\/)|\/\/+|#+|--)?[ \t]*)+/g, ' ')
        .trim();
      if (figuresOf(text).length === 0) return [];
      return [{ path, line: source.slice(0, match.index).split('\n').length, text }];
    });
  });
}

/** Figures without their separators of thousands: `20,000` is `20000`. */
function figuresOf(text: string): string[] {
  return [...text.matchAll(FIGURE)].map(([figure]) => figure.replace(/(?<=\d)[,_](?=\d{3})/g, ''));
}

function print({ path, line, text }: MeasuredComment): void {
  stdout.write(`${path}:${line}\t${text}\n`);
}

const [first, second] = process.argv.slice(2);
process.chdir(git('rev-parse', '--show-toplevel').trim());
if (first === '--missing-since') {
  const pages = filesOf(undefined).filter((path) => path.endsWith('.md'));
  const paragraphs = pages.flatMap((path) => readFileSync(path, 'utf8').split(/\n{2,}|\n(?=\|)/));
  const present = [...measuredCommentsOf().map(({ text }) => text), ...paragraphs].map(
    (text) => new Set(figuresOf(text)),
  );
  for (const comment of measuredCommentsOf(second ?? 'HEAD')) {
    const figures = figuresOf(comment.text);
    if (!present.some((held) => figures.every((figure) => held.has(figure)))) print(comment);
  }
} else {
  for (const comment of measuredCommentsOf(first)) print(comment);
}
