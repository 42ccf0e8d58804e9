import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Maximum number of tokens in all cached documents. A parsed token takes 300 to 500 bytes, or 860
 * bytes with the results of validation and planning. The number of characters is not a suitable
 * measure: with a limit of four million characters, unique documents could use 1 GB.
 */
const MAX_TOKENS = 100_000;

/** Number of characters in a key that take as much memory as one token. */
const CHARACTERS_PER_TOKEN = 400;

/**
 * Creates an LRU cache of values that contain parsed operations. It evicts values when the
 * operations together exceed `maxTokens` tokens. A long key counts as additional tokens.
 */
export function createTokenCache<V extends object>(
  documentOf: (value: V) => DocumentNode,
  maxTokens = MAX_TOKENS,
): LRUCache<string, V> {
  return new LRUCache<string, V>({
    maxSize: maxTokens,
    sizeCalculation: (value, key) => {
      const { tokenCount = maxTokens } = documentOf(value);
      return Math.max(tokenCount + Math.floor(key.length / CHARACTERS_PER_TOKEN), 1);
    },
  });
}

/** Creates a cache of parsed operations by text or by hash. */
export function createDocumentCache(maxTokens?: number): LRUCache<string, DocumentNode> {
  return createTokenCache((document) => document, maxTokens);
}

/**
 * Creates the document cache for Apollo Server. Apollo Server's default cache would hold 30 MiB of
 * documents, measured as JSON.
 */
export function createDocumentStore() {
  const documents = createDocumentCache();
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
