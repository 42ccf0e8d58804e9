import { type Logger, StartError } from '@gudang/runtime';
import { createHeaderForwarding, type HeaderForwarding } from './forwarded-headers.ts';
import type { HeaderRules } from './header-rules.ts';
import { createHeaderReturn, type HeaderReturn } from './returned-headers.ts';

/** The headers that pass the gateway. Without rules, every member is undefined or empty. */
export interface GatewayHeaders {
  /** Selects the clients' headers that subgraphs receive. */
  readonly forwarding: HeaderForwarding | undefined;
  /** Selects the subgraphs' headers that clients receive. */
  readonly returning: HeaderReturn | undefined;
  /** Headers of every answer to a client. */
  readonly inserted: HeaderRules['inserted'];
  /** Names of the returned and inserted headers, which pages of other origins may read. */
  readonly exposed: readonly string[];
  /** @throws {StartError} if a rule names a subgraph that the supergraph does not have */
  readonly assertKnown: (subgraphs: readonly { readonly name: string }[]) => void;
}

const NO_RULES: HeaderRules = { toSubgraphs: [], toClients: [], inserted: [] };

export function createGatewayHeaders(log: Logger, rules = NO_RULES): GatewayHeaders {
  const { toSubgraphs, toClients, inserted } = rules;
  const named = new Set([...toSubgraphs, ...toClients].flatMap(({ subgraphs }) => subgraphs ?? []));
  const exposed = [...toClients.map(({ as }) => as), ...inserted.map(([name]) => name)];
  return {
    forwarding: createHeaderForwarding(rules),
    returning: createHeaderReturn(rules, log),
    inserted,
    exposed: [...new Set(exposed)].filter((name) => name !== 'set-cookie'),
    assertKnown: (subgraphs) => {
      const names = subgraphs.map(({ name }) => name);
      const known = new Set(names.map((name) => name.toLowerCase()));
      const unknown = [...named].filter((name) => !known.has(name));
      if (unknown.length === 0) return;
      throw new StartError(
        `HEADER_RULES names the subgraph ${unknown.join(', ')}, which the supergraph does not have; it has ${names.join(', ')}`,
      );
    },
  };
}
