import { type DocumentNode, GraphQLError, Lexer, parse, Source, TokenKind } from 'graphql';
import { LimitExceeded } from './limit-exceeded.ts';
import { type DocumentFigures, measureDocument } from './measure-document.ts';

/** The most that an operation's text may hold. */
export interface TextLimits extends DocumentFigures {
  readonly tokens: number;
}

/** How much further than the limit tokens are counted, for the message. */
const COUNTED_FURTHER = 4;
const STRUCTURE = ['depth', 'aliases', 'rootFields', 'directives', 'fragments'] as const;

/**
 * Parses an operation that is no larger than it may be.
 * @throws {LimitExceeded} @throws {GraphQLError} what is wrong with its syntax
 */
export function parseWithin(text: string, limits: TextLimits): DocumentNode {
  const document = parseTokens(text, limits.tokens);
  const figures = measureDocument(document);
  for (const name of STRUCTURE) {
    if (figures[name] > limits[name]) {
      throw new LimitExceeded(name, { actual: figures[name], max: limits[name] });
    }
  }
  return document;
}

function parseTokens(text: string, maxTokens: number): DocumentNode {
  try {
    return parse(text, { maxTokens });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const most = maxTokens * COUNTED_FURTHER;
    const tokens = countTokens(text, most);
    if (tokens > maxTokens) {
      throw new LimitExceeded('tokens', { actual: tokens, max: maxTokens, more: tokens === most });
    }
    error.extensions['code'] = 'GRAPHQL_PARSE_FAILED';
    throw error;
  }
}

/** Up to so many, and as far as the text can be read. */
function countTokens(text: string, most: number): number {
  const lexer = new Lexer(new Source(text));
  let count = 0;
  try {
    while (count < most && lexer.advance().kind !== TokenKind.EOF) count += 1;
  } catch {
    // What cannot be read further is counted until there.
  }
  return count;
}
