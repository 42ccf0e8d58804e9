import { type DocumentNode, GraphQLError, Lexer, parse, Source, TokenKind } from 'graphql';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { RequestError } from '../errors/request-error.ts';
import { type DocumentFigures, measureDocument } from './measure-document.ts';

/** Limits of an operation's text. */
export interface TextLimits extends DocumentFigures {
  readonly tokens: number;
}

/** Multiple of the token limit at which counting for the error message stops. */
const COUNT_FACTOR = 4;
const STRUCTURE = [
  'depth',
  'aliases',
  'rootFields',
  'directives',
  'fragments',
  'objectFields',
] as const;

/**
 * Parses an operation within its limits.
 * @throws {LimitExceeded} @throws {GraphQLError} `GRAPHQL_PARSE_FAILED`
 */
export function parseWithin(text: string, limits: TextLimits): DocumentNode {
  assertLines(text, limits.tokens);
  const document = parseTokens(text, limits.tokens);
  assertNumbers(document);
  const figures = measureDocument(document);
  for (const name of STRUCTURE) {
    if (figures[name] > limits[name]) {
      throw new LimitExceeded(name, { actual: figures[name], max: limits[name] });
    }
  }
  return document;
}

const NUMBERS: ReadonlySet<TokenKind> = new Set([TokenKind.INT, TokenKind.FLOAT]);

/**
 * Rejects numbers such as 1e999, which become Infinity. JSON cannot contain Infinity, and the query
 * planner cannot print it.
 * @throws {RequestError} `BAD_USER_INPUT`
 */
function assertNumbers({ loc }: DocumentNode): void {
  for (let token = loc?.startToken; token; token = token.next ?? undefined) {
    if (NUMBERS.has(token.kind) && !Number.isFinite(Number(token.value))) throw OUT_OF_RANGE;
  }
}

const OUT_OF_RANGE = new RequestError(
  400,
  'A number is out of range: numbers must be between -1.8e308 and 1.8e308',
  { code: 'BAD_USER_INPUT' },
);

const LINE_BREAK = /\r\n|[\n\r]/g;

/**
 * Rejects texts with more lines than tokens are allowed. For each position in an error, graphql-js
 * searches all line breaks before it, which takes 12 ms for 250,000 of them.
 * @throws {LimitExceeded}
 */
function assertLines(text: string, max: number): void {
  if (text.length < max) return;
  let lines = 1;
  for (const _ of text.matchAll(LINE_BREAK)) {
    lines += 1;
    if (lines > max) throw new LimitExceeded('lines', { actual: max, max, more: true });
  }
}

function parseTokens(text: string, maxTokens: number): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const max = maxTokens * COUNT_FACTOR;
    const tokens = countTokens(text, max);
    if (tokens > maxTokens) {
      throw new LimitExceeded('tokens', { actual: tokens, max: maxTokens, more: tokens === max });
    }
    error.extensions['code'] = 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
}

/** Counts the tokens before the first syntax error, up to a maximum. */
function countTokens(text: string, max: number): number {
  const lexer = new Lexer(new Source(text));
  let count = 0;
  try {
    while (count < max && lexer.advance().kind !== TokenKind.EOF) count += 1;
  } catch {
    // A syntax error ends the count.
  }
  return count;
}
