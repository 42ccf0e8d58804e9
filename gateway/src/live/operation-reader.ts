import {
  type DocumentNode,
  GraphQLError,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { parseWithin, type TextLimits } from '../limits/parse-within.ts';

/** Characters of operation texts whose parsed form is kept. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

export interface ReadOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

export type OperationReader = (query: string, operationName?: string | null) => ReadOperation;

/**
 * Parses operations, each text once: the same text gives the same document, by which plans are kept.
 * Those that are too large are refused, and read anew each time.
 */
export function createOperationReader(limits: TextLimits): OperationReader {
  const documents = new LRUCache<string, DocumentNode>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (_document, text) => text.length + 1,
  });
  return (query, operationName) => {
    let document = documents.get(query);
    if (!document) {
      document = parseWithin(query, limits);
      documents.set(query, document);
    }
    const operation = getOperationAST(document, operationName);
    if (operation) return { document, operation };
    throw new GraphQLError(
      operationName
        ? `There is no operation named "${operationName}"`
        : 'Say which of the operations to run, by operationName',
      { extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } },
    );
  };
}
