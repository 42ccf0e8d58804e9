import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { RequestError } from '../errors/request-error.ts';

/** An operation's text, its id, or both. */
export interface NamedText {
  readonly query?: string | null | undefined;
  /** Apollo clients send the id here: `{persistedQuery: {version: 1, sha256Hash}}`. */
  readonly extensions?: unknown;
}

/** Operations that clients may send by id. */
export interface PersistedQueries {
  /**
   * Returns the text of the requested operation.
   * @throws {GraphQLError} `PERSISTED_QUERY_NOT_FOUND` if the id is unknown and the text is missing
   * @throws {RequestError} when the text or id is not allowed
   */
  readonly textOf: (asked: NamedText) => string;
  /** Stores the text of a request that contains both text and id. Call it only after admission. */
  readonly store: (asked: NamedText) => void;
}

/** Maximum number of characters in all stored texts. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/**
 * Creates a store of automatic persisted queries: a client sends an operation's text and its
 * SHA-256 hash once, and then only the hash. The least recently used operations are evicted first.
 */
export function createPersistedQueries(): PersistedQueries {
  const texts = new LRUCache<string, string>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (text) => text.length + 1,
  });
  return {
    textOf: ({ query, extensions }) => {
      const id = idIn(extensions);
      if (id === undefined) return query ?? '';
      if (!query) {
        const text = texts.get(id);
        if (text === undefined) throw notFound();
        return text;
      }
      if (createHash('sha256').update(query).digest('hex') !== id) {
        throw new RequestError(400, 'provided sha does not match query', { code: 'BAD_REQUEST' });
      }
      return query;
    },
    store: ({ query, extensions }) => {
      const id = idIn(extensions);
      if (id !== undefined && query) texts.set(id, query);
    },
  };
}

/** Clients depend on exactly this message and code. */
function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
  });
}

/**
 * Returns the id in a request's extensions.
 * @throws {RequestError} when `persistedQuery` is malformed
 */
export function idIn(extensions: unknown): string | undefined {
  const { persistedQuery } = Object(extensions) as { persistedQuery?: unknown };
  if (!persistedQuery) return undefined;
  const { version, sha256Hash } = Object(persistedQuery) as Record<string, unknown>;
  if (version === 1 && typeof sha256Hash === 'string') return sha256Hash;
  throw new RequestError(400, 'A persisted query must have version 1 and a sha256Hash', {
    code: 'BAD_REQUEST',
  });
}
