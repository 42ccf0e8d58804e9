import type { IncomingHttpHeaders } from 'node:http';
import type { Identity } from '@gudang/auth';
import { LimitExceeded } from '../errors/limit-exceeded.ts';
import { badRequest } from '../errors/request-error.ts';
import type { ForwardRule, HeaderRules, InsertRule } from './header-rules.ts';
import { HEADER_VALUE } from './rule-reader.ts';

export type Headers = Readonly<Record<string, string>>;

/** Maximum size of the values that one client's request forwards, with their names, in bytes. */
const MAX_BYTES = 8 * 1024;

/** A rule, and the place of its value among those of a request. */
type PlacedRule = InsertRule | (ForwardRule & { readonly place: number });

/** The headers that one request, or all operations of one websocket, forward to subgraphs. */
export interface ForwardedHeaders {
  /**
   * The forwarded values. Requests with different keys must not share an execution, a stream or an
   * answer. Empty if the client has sent none of the headers.
   */
  readonly key: string;
  /** Returns the headers for a subgraph: the same object for the same subgraph. */
  readonly to: (subgraph: string) => Headers;
}

/** Selects the headers of clients that subgraphs receive. */
export interface HeaderForwarding {
  /** The headers of a request that no client has sent: only those that rules insert. */
  readonly none: ForwardedHeaders;
  /**
   * @param headers headers of the HTTP request, or of the request that opened the websocket
   * @param params payload of `connection_init`. A header precedes a member of the same name, so that a
   * client cannot replace what a proxy has set; except `authorization`, as for the caller's identity
   * @throws {RequestError} 431 if the values are too large, 400 if a member cannot be a header
   */
  readonly of: (
    headers: IncomingHttpHeaders,
    params?: unknown,
    identity?: Identity,
  ) => ForwardedHeaders;
}

/** A request that is about to be sent to a subgraph. */
export interface OutgoingRequest {
  readonly subgraph: string;
  readonly kind: 'query' | 'mutation' | 'subscription' | 'event';
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly identity: Identity;
}

/**
 * Returns the final headers of a request.
 * @param headers the headers that rules forward
 * @throws {RequestError} if the request must not be sent; a promise rejects in the same way
 */
export type PrepareHeaders = (
  request: OutgoingRequest,
  headers: Headers,
) => Headers | Promise<Headers>;

/** Creates the selection; undefined if no rule adds a header to a subgraph's request. */
export function createHeaderForwarding({ toSubgraphs }: Pick<HeaderRules, 'toSubgraphs'>) {
  return toSubgraphs.length > 0 ? new RuledForwarding(toSubgraphs) : undefined;
}

class RuledForwarding implements HeaderForwarding {
  readonly none: ForwardedHeaders;
  readonly #reads: readonly ForwardRule[];
  readonly #rules: readonly PlacedRule[];
  readonly #rulesOf = new Map<string, readonly PlacedRule[]>();

  constructor(rules: readonly (ForwardRule | InsertRule)[]) {
    this.#reads = rules.filter((rule) => rule.kind === 'forward');
    this.#rules = rules.map((rule) =>
      rule.kind === 'insert' ? rule : { ...rule, place: this.#reads.indexOf(rule) },
    );
    this.none = this.#select([]);
  }

  of(headers: IncomingHttpHeaders, params?: unknown): ForwardedHeaders {
    const members = membersOf(params);
    const values = this.#reads.map(({ name, readsParams }) => {
      const header = headers[name];
      const value = typeof header === 'string' ? header : undefined;
      if (!members || !readsParams) return value;
      return name === 'authorization'
        ? (valueIn(members, name) ?? value)
        : (value ?? valueIn(members, name));
    });
    if (values.every((value) => value === undefined)) return this.none;
    this.#assertSize(values);
    return this.#select(values);
  }

  #select(values: readonly (string | undefined)[]): ForwardedHeaders {
    const known = new Map<string, Headers>();
    return {
      key: values.length > 0 ? JSON.stringify(values) : '',
      to: (subgraph) => {
        const found = known.get(subgraph) ?? this.#apply(subgraph, values);
        known.set(subgraph, found);
        return found;
      },
    };
  }

  #apply(subgraph: string, values: readonly (string | undefined)[]): Headers {
    const headers = new Map<string, string>();
    for (const rule of this.#rulesFor(subgraph)) {
      const value = rule.kind === 'insert' ? rule.value : (values[rule.place] ?? rule.fallback);
      if (value !== undefined) headers.set(rule.as, value);
    }
    return Object.fromEntries(headers);
  }

  #rulesFor(subgraph: string): readonly PlacedRule[] {
    const name = subgraph.toLowerCase();
    const found =
      this.#rulesOf.get(name) ??
      this.#rules.filter(({ subgraphs }) => subgraphs?.includes(name) ?? true);
    this.#rulesOf.set(name, found);
    return found;
  }

  #assertSize(values: readonly (string | undefined)[]): void {
    let bytes = 0;
    // The characters of a header are bytes.
    for (const [place, value] of values.entries()) {
      if (value !== undefined) bytes += value.length + (this.#reads[place]?.as.length ?? 0);
    }
    if (bytes > MAX_BYTES) {
      throw new LimitExceeded('forwardedHeaders', { actual: bytes, max: MAX_BYTES, status: 431 });
    }
  }
}

type Members = ReadonlyMap<string, unknown>;

/** Returns the members of a payload by their names in lower case. The first of equal names counts. */
function membersOf(params: unknown): Members | undefined {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  const entries = Object.entries(params).map(([name, value]): [string, unknown] => [
    name.toLowerCase(),
    value,
  ]);
  return new Map(entries.reverse());
}

function valueIn(members: Members, name: string): string | undefined {
  const value = members.get(name) ?? undefined;
  if (value === undefined) return undefined;
  const text = typeof value === 'object' ? undefined : String(value);
  if (text !== undefined && HEADER_VALUE.test(text)) return text;
  throw badRequest(
    `${name} in connection_init is forwarded as a header: it must be a string of ASCII characters, without line breaks, and without spaces at its ends`,
  );
}
