import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Maximum tokens of all cached documents. A parsed token takes 300 to 500 bytes, and 860 with
 * validation and plans. With a limit of four million characters instead, unique documents could use
 * 1 GB.
 */
const MAX_TOKENS = 100_000;

/** Number of a key's characters that take as much memory as one token. */
const CHARACTERS_PER_TOKEN = 400;

/** A least-recently-used cache of values that hold parsed operations, limited by their tokens. */
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

/** Parsed operations, by text or by hash. */
export function createDocumentCache(maxTokens?: number): LRUCache<string, DocumentNode> {
  return createTokenCache((document) => document, maxTokens);
}

/** The document cache for Apollo Server, whose default cache would use 30 MiB of JSON. */
export function createDocumentStore() {
  const documents = createDocumentCache();
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) => void documents.set(key, document),
    delete: async (key: string) => documents.delete(key),
  };
}
