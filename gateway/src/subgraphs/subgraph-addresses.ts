import { StartError } from '@gudang/runtime';
import { type GivenLimits, limitsOf, namesOf, type SubgraphLimits } from './subgraph-limits.ts';

/** The addresses of a subgraph, and what it may take of the gateway. */
export interface SubgraphAddress {
  readonly name: string;
  readonly url: string;
  readonly wsUrl: string;
  /**
   * Whether another party operates the subgraph. A foreign subgraph gets the identity in
   * `connection_init`, but never gets the secret.
   */
  readonly foreign: boolean;
  readonly limits: SubgraphLimits;
}

const NO_LIMITS = { given: new Map(), timeoutMs: 10_000 };

/**
 * Returns the subgraphs' addresses. Addresses in the settings take precedence over those in the
 * supergraph.
 * @throws {StartError} if a setting names an unknown subgraph, or if a subgraph has no address
 */
export function subgraphAddresses(
  subgraphs: readonly { readonly name: string; readonly url: string }[],
  urls: ReadonlyMap<string, string> = new Map(),
  wsUrls: ReadonlyMap<string, string> = new Map(),
  foreign: readonly string[] = [],
  limits: { readonly given: GivenLimits; readonly timeoutMs: number } = NO_LIMITS,
): SubgraphAddress[] {
  const names = subgraphs.map(({ name }) => name);
  const httpOf = byName('SUBGRAPH_URLS', names, urls);
  const wsOf = byName('SUBGRAPH_WS_URLS', names, wsUrls);
  byName('SUBGRAPH_LIMITS', names, new Map(namesOf(limits.given).map((name) => [name, ''])));
  const others = byName('FOREIGN_SUBGRAPHS', names, new Map(foreign.map((name) => [name, ''])));
  return subgraphs.map(({ name, url: composed }) => {
    const url = httpOf.get(name) ?? composed;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new StartError(
        `The subgraph ${name} has no usable address in the supergraph (${JSON.stringify(url)}): set SUBGRAPH_URLS=${name}=http://…`,
      );
    }
    const wsUrl = wsOf.get(name) ?? url.replace(/^http/i, 'ws');
    return {
      name,
      url,
      wsUrl,
      foreign: others.has(name),
      limits: limitsOf(name, limits.given, limits.timeoutMs),
    };
  });
}

function byName(
  setting: string,
  names: readonly string[],
  given: ReadonlyMap<string, string>,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const [asked, address] of given) {
    const name = names.find((one) => one.toLowerCase() === asked.toLowerCase());
    if (name === undefined) {
      throw new StartError(
        `${setting} names the subgraph ${asked}, which the supergraph does not have; it has ${names.join(', ')}`,
      );
    }
    found.set(name, address);
  }
  return found;
}
