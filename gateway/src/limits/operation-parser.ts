import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { createDocumentCache } from '../documents/document-cache.ts';
import { parseWithin, type TextLimits } from './parse-within.ts';

export interface ParsedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

export interface OperationParser {
  /**
   * Parses a text. Equal texts give the same document object, which is the key of cached plans, once
   * `keep` has been called.
   * @returns the operation, and whether its text is not cached
   */
  readonly parse: (
    query: string,
    operationName?: string | null,
  ) => ParsedOperation & { readonly isNew: boolean };
  /**
   * Caches a parsed text. Call it only for operations within all limits: thousands of large documents
   * that are kept for a while, and never used again, cost more time for garbage collection than for
   * parsing.
   */
  readonly keep: (query: string, document: DocumentNode) => void;
}

/** @param limitTime runs the parsing of a text that is not cached; may throw instead */
export function createOperationParser(
  limits: TextLimits,
  limitTime: <T>(parse: () => T) => T = (parse) => parse(),
): OperationParser {
  const documents = createDocumentCache();
  return {
    parse: (query, operationName) => {
      const known = documents.get(query);
      const document = known ?? limitTime(() => parseWithin(query, limits));
      const operation = getOperationAST(document, operationName);
      if (operation) return { document, operation, isNew: known === undefined };
      throw unknownOperationError(operationName);
    },
    keep: (query, document) => void documents.set(query, document),
  };
}

export function unknownOperationError(operationName: string | null | undefined): GraphQLError {
  const message = operationName
    ? `There is no operation named "${operationName}"`
    : 'The document has several operations: name one by operationName';
  return new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
}
