import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Tokens of all documents that are kept. One takes 300 to 500 bytes once parsed; where a document is read, validated
 * and planned, 860 in all. Counted by characters, four million of them, whoever sent ever new texts took a gigabyte.
 */
const KEPT_TOKENS = 100_000;

/** Characters of a key that take as much as a token. */
const CHARACTERS_A_TOKEN = 400;

/** What holds on to parsed operations; those that were not asked for longest are forgotten first. */
export function createTokenCache<V extends object>(
  documentOf: (value: V) => DocumentNode,
  most = KEPT_TOKENS,
): LRUCache<string, V> {
  return new LRUCache<string, V>({
    maxSize: most,
    sizeCalculation: (value, key) => {
      const { tokenCount = most } = documentOf(value);
      return Math.max(tokenCount + Math.floor(key.length / CHARACTERS_A_TOKEN), 1);
    },
  });
}

/** Parsed operations, by text or by hash. */
export function createDocumentCache(most?: number): LRUCache<string, DocumentNode> {
  return createTokenCache((document) => document, most);
}

/** The same for Apollo Server, whose own would keep 30 MiB of their JSON. */
export function createDocumentStore() {
  const documents = createDocumentCache();
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
