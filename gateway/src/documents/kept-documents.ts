import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/**
 * Tokens of all documents that are kept, of which one takes 300 to 500 bytes once parsed, and about as much again
 * where it is planned. Counted by characters, four million of them, they took up to a gigabyte of whoever sends a new
 * text each time.
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
