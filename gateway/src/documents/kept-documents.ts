import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Tokens of all documents that are kept. One takes 300 to 500 bytes once parsed; where a document is read, validated
 * and planned, 860 in all. Counted by characters, four million of them, whoever sent ever new texts took a gigabyte.
 */
const KEPT_TOKENS = 100_000;

/** Parsed operations, by text or by hash; those that were not asked for longest are forgotten first. */
export function createKeptDocuments(most = KEPT_TOKENS): LRUCache<string, DocumentNode> {
  return new LRUCache<string, DocumentNode>({
    maxSize: most,
    sizeCalculation: ({ tokenCount = most }) => Math.max(tokenCount, 1),
  });
}

/** The same for Apollo Server, whose own would keep 30 MiB of their JSON. */
export function createDocumentStore() {
  const documents = createKeptDocuments();
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
