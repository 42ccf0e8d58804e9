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

export type OperationParser = (query: string, operationName?: string | null) => ParsedOperation;

/**
 * Parses each text once. Equal texts give the same document object, which is the key of cached
 * plans. A text above a limit is rejected and not cached, so it is parsed again for each request.
 * @param limitTime runs the parsing of a text that is not cached; may throw instead
 */
export function createOperationParser(
  limits: TextLimits,
  limitTime: <T>(parse: () => T) => T = (parse) => parse(),
): OperationParser {
  const documents = createDocumentCache();
  return (query, operationName) => {
    let document = documents.get(query);
    if (!document) {
      document = limitTime(() => parseWithin(query, limits));
      documents.set(query, document);
    }
    const operation = getOperationAST(document, operationName);
    if (operation) return { document, operation };
    throw unknownOperationError(operationName);
  };
}

export function unknownOperationError(operationName: string | null | undefined): GraphQLError {
  const message = operationName
    ? `There is no operation named "${operationName}"`
    : 'The document has several operations: name one by operationName';
  return new GraphQLError(message, { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } });
}
