import { createHash } from 'node:crypto';
import type { Call } from './echo-graph.ts';
import { type ReferenceRun, Refused, runReference, validDocument } from './reference-operation.ts';

/** The gateway's default limit. Generated requests are far below or far above it. */
const NESTING_LIMIT = 64;

/** What the gateway knows before a request. */
export interface Known {
  /** Texts by SHA-256 that were sent in a valid request with their hash. */
  readonly persisted: Map<string, string>;
  /** Texts by id of the safelist; undefined if there is none. */
  readonly safelist?: ReadonlyMap<string, string> | undefined;
  /** Valid tickets; undefined if auth is disabled. */
  readonly tickets?: ReadonlySet<string> | undefined;
}

/** What the gateway must do with a request. */
export type Expectation =
  | { readonly kind: 'refused'; readonly why: string }
  | {
      readonly kind: 'runs';
      readonly operation: ReferenceRun['kind'];
      readonly calls: readonly Call[];
      readonly data: unknown;
      /** Why the gateway may refuse the request all the same; undefined if it must run it. */
      readonly mayRefuse?: string;
    };

/** Parameters of a request, before their types are checked. */
export type Parameters = Readonly<Record<string, unknown>>;

/**
 * Interprets the parameters of a request on any protocol.
 * @param doubts reasons why the gateway may refuse a request that is valid here; doubts are added
 * @throws {Refused}
 */
export function interpretParameters(
  given: Parameters,
  known: Known,
  doubts: string[],
): ReferenceRun {
  if (depthOf(given) > NESTING_LIMIT) throw new Refused('values are nested too deeply');
  const query = given['query'] ?? undefined;
  if (query !== undefined && typeof query !== 'string') throw new Refused('query is no string');
  const operationName = given['operationName'] ?? undefined;
  if (operationName !== undefined && typeof operationName !== 'string') {
    throw new Refused('operationName is no string');
  }
  const variables = objectIn('variables', given, doubts);
  const extensions = objectIn('extensions', given, doubts);
  const text = textOf(query, idIn(extensions), known, doubts);
  if (text.includes('1e400')) doubts.push('a number that JSON does not have');
  return runReference({ query: text, variables, operationName: operationName || undefined });
}

/** Returns the number of levels of objects and lists. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

function objectIn(name: string, given: Parameters, doubts: string[]): Record<string, unknown> {
  let value = given[name] ?? {};
  if (typeof value === 'string') {
    doubts.push(`${name} is a string`);
    try {
      value = value === '' ? {} : (JSON.parse(value) ?? {});
    } catch {
      throw new Refused(`${name} is not JSON`);
    }
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw new Refused(`${name} is no object`);
  return value as Record<string, unknown>;
}

/** @throws {Refused} if `persistedQuery` is malformed */
function idIn({ persistedQuery }: Record<string, unknown>): string | undefined {
  if (!persistedQuery) return undefined;
  const { version, sha256Hash } = Object(persistedQuery) as Record<string, unknown>;
  if (version !== 1 || typeof sha256Hash !== 'string') throw new Refused('persistedQuery');
  return sha256Hash;
}

function textOf(
  query: string | undefined,
  id: string | undefined,
  { persisted, safelist }: Known,
  doubts: string[],
): string {
  if (safelist) {
    const text = id === undefined ? query : safelist.get(id);
    const isListed = text !== undefined && [...safelist.values()].includes(text);
    if (!isListed || (query && query !== text)) throw new Refused('not in the safelist');
    return text;
  }
  if (id === undefined) {
    if (!query) throw new Refused('no query');
    return query;
  }
  if (!query) {
    const text = persisted.get(id);
    if (text === undefined) throw new Refused('an unknown persisted query');
    doubts.push('the persisted query may have been evicted, or not have been stored yet');
    return text;
  }
  if (createHash('sha256').update(query).digest('hex') !== id) throw new Refused('a wrong hash');
  validDocument(query);
  persisted.set(id, query);
  return query;
}

/** Turns an interpretation into an expectation. */
export function expectationOf(interpret: (doubts: string[]) => ReferenceRun): Expectation {
  const doubts: string[] = [];
  try {
    const { kind: operation, calls, data } = interpret(doubts);
    const run = { kind: 'runs', operation, calls, data } as const;
    return doubts.length > 0 ? { ...run, mayRefuse: doubts.join(', ') } : run;
  } catch (error) {
    if (error instanceof Refused) return { kind: 'refused', why: error.message };
    throw error;
  }
}
