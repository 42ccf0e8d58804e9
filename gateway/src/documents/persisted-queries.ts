import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { RequestError } from '../errors/request-error.ts';

/** An operation's text, or the id that stands for it. */
export interface NamedText {
  readonly query?: string | null | undefined;
  /** What clients of Apollo send: `{persistedQuery: {version: 1, sha256Hash}}`. */
  readonly extensions?: unknown;
}

/** As Apollo Server keeps texts. */
export interface TextCache {
  readonly get: (key: string) => Promise<string | undefined>;
  readonly set: (key: string, text: string) => Promise<void>;
  readonly delete: (key: string) => Promise<boolean>;
}

/** Operations that clients may name by an id, in place of sending their texts. */
export interface PersistedQueries {
  /**
   * The text that is asked for.
   * @throws {GraphQLError} `PERSISTED_QUERY_NOT_FOUND`: send the text too
   * @throws {RequestError} when it may not be asked for
   */
  readonly textOf: (asked: NamedText) => string;
  /** Keeps the text of a request that names an id too; to be called once it is admitted. */
  readonly learn: (asked: NamedText) => void;
  /** The same for Apollo Server, which answers queries and mutations over HTTP. */
  readonly cache: TextCache;
}

/** Characters of texts that are kept for clients. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/**
 * Automatic persisted queries: a client sends an operation's text and its SHA-256 once, then the
 * latter alone. The oldest are forgotten first.
 */
export function createPersistedQueries(): PersistedQueries {
  const texts = new LRUCache<string, string>({
    maxSize: KEPT_CHARACTERS,
    sizeCalculation: (text) => text.length + 1,
  });
  return {
    textOf: ({ query, extensions }) => {
      const id = idIn(extensions);
      if (id === undefined) return query ?? '';
      if (!query) {
        const known = texts.get(id);
        if (known === undefined) throw notFound();
        return known;
      }
      if (createHash('sha256').update(query).digest('hex') !== id) {
        throw new RequestError(400, 'provided sha does not match query', { code: 'BAD_REQUEST' });
      }
      return query;
    },
    learn: ({ query, extensions }) => {
      const id = idIn(extensions);
      if (id !== undefined && query) texts.set(id, query);
    },
    cache: cacheOf((id) => texts.get(id)),
  };
}

/** What clients of automatic persisted queries look for, letter by letter. */
function notFound(): GraphQLError {
  return new GraphQLError('PersistedQueryNotFound', {
    extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
  });
}

/**
 * The id that a request names.
 * @throws {RequestError} when it names none in the one way that there is
 */
export function idIn(extensions: unknown): string | undefined {
  const { persistedQuery } = Object(extensions) as { persistedQuery?: unknown };
  if (!persistedQuery) return undefined;
  const { version, sha256Hash } = Object(persistedQuery) as Record<string, unknown>;
  if (version === 1 && typeof sha256Hash === 'string') return sha256Hash;
  throw new RequestError(400, 'A persisted query has the version 1 and a sha256Hash', {
    code: 'BAD_REQUEST',
  });
}

/** Apollo puts this before each id. */
const PREFIX = /^apq:/;

/** Apollo stores nothing itself: a text is stored before it gets there, once it is admitted. */
export function cacheOf(find: (id: string) => string | undefined): TextCache {
  return {
    get: async (key) => find(key.replace(PREFIX, '')),
    set: async () => {},
    delete: async () => false,
  };
}
