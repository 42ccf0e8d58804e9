/**
 * Lists every comment that contains a figure, an issue number or a URL. Each line of the output has the
 * form `path:line`, tab, text. Such comments give the reasons for the code below them, so a rewrite must not
 * lose any. The option `--compare` finds the lost ones.
 *
 *   tsx tests/docs/list-measured-comments.ts                         comments of the working tree
 *   tsx tests/docs/list-measured-comments.ts 370c245                 comments of a commit
 *   tsx tests/docs/list-measured-comments.ts --compare 370c245       each comment of the commit, with its
 *     most similar successor: a comment, or a paragraph of a page (*.md), with the same figures. The columns are:
 *     state (same, changed, MISSING), old place, old text, new place, new text.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { stdout } from 'node:process';

interface MeasuredComment {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Each pattern also matches strings, so that a `//` in a string does not start a comment. Group 1 is the comment. */
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
/** Matches an issue number, a URL, or a number that does not follow a letter (W3C and sha256 are names). */
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

/** Returns the figures of a text without thousands separators: `20,000` becomes `20000`. */
function figuresOf(text: string): string[] {
  return [...text.matchAll(FIGURE)].map(([figure]) => figure.replace(/(?<=\d)[,_](?=\d{3})/g, ''));
}

function print({ path, line, text }: MeasuredComment): void {
  stdout.write(`${path}:${line}\t${text}\n`);
}

/** Returns the paragraphs and table rows of the documentation that contain figures. */
function measuredParagraphs(): MeasuredComment[] {
  return filesOf(undefined)
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => {
      let line = 1;
      return readFileSync(path, 'utf8')
        .split(/(?<=\n)(?=\n|\|)/)
        .map((text) => {
          const found = { path, line, text: text.replace(/\s+/g, ' ').trim() };
          line += text.split('\n').length - 1;
          return found;
        });
    })
    .filter(({ text }) => figuresOf(text).length > 0);
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[a-z]{4,}/g) ?? []);
}

/** Compares a commit's comments with the working tree. Comments without a successor are printed first. */
function compare(commit: string): void {
  const present = [...measuredCommentsOf(), ...measuredParagraphs()].map((comment) => ({
    comment,
    figures: new Set(figuresOf(comment.text)),
    words: wordsOf(comment.text),
  }));
  const rows = measuredCommentsOf(commit).map((old) => {
    const figures = figuresOf(old.text);
    const words = [...wordsOf(old.text)];
    const similarity = (candidate: (typeof present)[number]): number =>
      words.filter((word) => candidate.words.has(word)).length / (words.length || 1) +
      (basename(candidate.comment.path) === basename(old.path) ? 0.5 : 0) -
      candidate.words.size / 1_000;
    const [best] = present
      .filter(({ figures: held }) => figures.every((figure) => held.has(figure)))
      .map((candidate) => ({ ...candidate.comment, score: similarity(candidate) }))
      .sort((one, other) => other.score - one.score);
    const state = best === undefined ? 'MISSING' : best.text === old.text ? 'same' : 'changed';
    return { old, best, state, score: best?.score ?? -1 };
  });
  rows.sort((one, other) => one.score - other.score);
  for (const { old, best, state } of rows) {
    const successor = best ? [`${best.path}:${best.line}`, best.text] : ['', ''];
    stdout.write(`${[state, `${old.path}:${old.line}`, old.text, ...successor].join('\t')}\n`);
  }
}

const [first, second] = process.argv.slice(2);
process.chdir(git('rev-parse', '--show-toplevel').trim());
if (first === '--compare') compare(second ?? 'HEAD');
else for (const comment of measuredCommentsOf(first)) print(comment);
