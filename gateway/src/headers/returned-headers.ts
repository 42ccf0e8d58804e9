import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from '@gudang/runtime';
import type { HeaderRules, Merge, ReturnRule } from './header-rules.ts';

/** Maximum size of all returned headers of one answer, in bytes. */
const MAX_BYTES = 8 * 1024;

/** A header of a subgraph's answer that the client receives. */
interface Returned {
  readonly as: string;
  readonly merge: Merge;
  readonly values: readonly string[];
}

/** The headers of one subgraph's answer that the client receives; never empty. */
export type ReturnedHeaders = readonly Returned[];

/** Selects the headers of one subgraph's answers. @returns undefined if an answer has none of them */
export type SelectReturned = (headers: IncomingHttpHeaders) => ReturnedHeaders | undefined;

/** Selects the headers of subgraphs' answers that clients receive. */
export interface HeaderReturn {
  /** Returns the selection of a subgraph; undefined if no rule holds for it. */
  readonly from: (subgraph: string) => SelectReturned | undefined;
  /** Creates the collection of the headers that one operation's answer returns. */
  readonly collect: () => ReturnedCollection;
}

/** Creates the selection; undefined if no header is returned. */
export function createHeaderReturn(
  { toClients }: Pick<HeaderRules, 'toClients'>,
  log: Logger,
): HeaderReturn | undefined {
  if (toClients.length === 0) return undefined;
  let hasWarned = false;
  const onDropped = (name: string): void => {
    log[hasWarned ? 'debug' : 'warn'](
      { header: name },
      `subgraphs return more than ${MAX_BYTES} bytes of headers in one operation; the others are dropped`,
    );
    hasWarned = true;
  };
  return {
    from: (subgraph) => {
      const name = subgraph.toLowerCase();
      const rules = toClients.filter(({ subgraphs }) => subgraphs?.includes(name) ?? true);
      return rules.length > 0 ? (headers) => select(rules, headers) : undefined;
    },
    collect: () => new ReturnedCollection(onDropped),
  };
}

function select(
  rules: readonly ReturnRule[],
  headers: IncomingHttpHeaders,
): ReturnedHeaders | undefined {
  const found = rules.flatMap(({ name, as, merge }): Returned[] => {
    const value = headers[name];
    if (value === undefined) return [];
    return [{ as, merge, values: Array.isArray(value) ? value : [value] }];
  });
  return found.length > 0 ? found : undefined;
}

/** The headers that one operation returns to its client. */
export class ReturnedCollection {
  readonly #onDropped: (name: string) => void;
  readonly #values = new Map<string, string[]>();
  #bytes = 0;

  constructor(onDropped: (name: string) => void) {
    this.#onDropped = onDropped;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  add(returned: ReturnedHeaders): void {
    for (const { as, merge, values } of returned) {
      const known = this.#values.get(as) ?? [];
      if (merge === 'first' && known.length > 0) continue;
      const kept = merge === 'last' ? [] : known;
      const next = [...kept, ...values.filter((value) => !kept.includes(value))];
      const bytes = this.#bytes - bytesOf(as, known) + bytesOf(as, next);
      if (bytes > MAX_BYTES) this.#onDropped(as);
      else {
        this.#bytes = bytes;
        this.#values.set(as, next);
      }
    }
  }

  /** Returns the headers. Several cookies are several headers; other values are joined by commas. */
  list(): [name: string, value: string][] {
    return [...this.#values].flatMap(([name, values]): [string, string][] =>
      name === 'set-cookie' ? values.map((value) => [name, value]) : [[name, values.join(', ')]],
    );
  }
}

function bytesOf(name: string, values: readonly string[]): number {
  return values.reduce((sum, value) => sum + name.length + value.length, 0);
}
