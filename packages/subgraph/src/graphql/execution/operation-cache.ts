import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Maximum number of tokens in all operations of a cache. A parsed token takes 300 to 500 bytes. The gateway
 * sends few different texts.
 */
const MAX_TOKENS = 100_000;

/** Number of characters in a key that take as much memory as one token. */
const CHARACTERS_PER_TOKEN = 400;

/**
 * Creates an LRU cache of values with a parsed operation, by a key that contains its text. An operation
 * that is larger than the whole cache is not kept.
 */
export function createOperationCache<V extends object>(
  documentOf: (value: V) => DocumentNode,
): Pick<LRUCache<string, V>, 'get' | 'set'> {
  return new LRUCache<string, V>({
    maxSize: MAX_TOKENS,
    sizeCalculation: (value, key) => {
      const { tokenCount = MAX_TOKENS } = documentOf(value);
      return Math.max(tokenCount + Math.floor(key.length / CHARACTERS_PER_TOKEN), 1);
    },
  });
}
