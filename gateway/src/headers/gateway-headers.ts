import type { IncomingHttpHeaders } from 'node:http';
import type { Identity } from '@gudang/auth';
import { type Logger, StartError } from '@gudang/runtime';
import type { PluginClient } from '../../plugin.d.ts';
import {
  createHeaderForwarding,
  type ForwardedHeaders,
  type HeaderForwarding,
  type PrepareHeaders,
} from './forwarded-headers.ts';
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
  /** Completes the headers of each request to a subgraph; undefined if nothing remains to be done. */
  readonly prepare?: PrepareHeaders | undefined;
  /** Reads what a client has sent; undefined if nothing of it is forwarded, and no plugin needs it. */
  readonly read: ReadClient | undefined;
  /** @throws {StartError} if a rule names a subgraph that the supergraph does not have */
  readonly assertKnown: (subgraphs: readonly { readonly name: string }[]) => void;
}

/** The headers of a client that its operation keeps. */
export interface ClientHeaders {
  /** The headers that are forwarded. */
  readonly headers?: ForwardedHeaders | undefined;
  /** Everything that the client has sent, for plugins. */
  readonly client?: PluginClient | undefined;
}

/**
 * Reads the headers of a client.
 * @param params payload of `connection_init`
 * @throws {RequestError} if the client's headers cannot be forwarded
 */
export type ReadClient = (
  headers: IncomingHttpHeaders,
  identity: Identity,
  params?: unknown,
) => ClientHeaders;

const NO_RULES: HeaderRules = { toSubgraphs: [], toClients: [], inserted: [] };

export function createGatewayHeaders(log: Logger, rules = NO_RULES): GatewayHeaders {
  const { toSubgraphs, toClients, inserted } = rules;
  const named = new Set([...toSubgraphs, ...toClients].flatMap(({ subgraphs }) => subgraphs ?? []));
  const exposed = [...toClients.map(({ as }) => as), ...inserted.map(([name]) => name)];
  const forwarding: HeaderForwarding | undefined = createHeaderForwarding(rules);
  return {
    forwarding,
    read:
      forwarding &&
      ((headers, identity, params) => ({ headers: forwarding.of(headers, params, identity) })),
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
