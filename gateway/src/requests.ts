import {
  type Authentication,
  createAuthentication,
  createTickets,
  type Tickets,
} from '@gudang/auth';
import { type AllowedOrigins, createAllowedOrigins } from './allowed-origins.ts';
import { createRequestCallers, type RequestCallers } from './auth/request-callers.ts';
import { type ClientLimits, createClientLimits } from './limits/client-limits.ts';
import type { GatewayRuntime } from './runtime.ts';

/** Checks of incoming requests: callers, origins and client limits. */
export interface Requests {
  readonly auth: Authentication;
  readonly tickets: Tickets;
  readonly callers: RequestCallers;
  readonly clients: ClientLimits;
  readonly origins: AllowedOrigins;
}

export function createRequests({ settings, metrics, explore, log }: GatewayRuntime): Requests {
  const auth = createAuthentication(settings, log);
  const tickets = createTickets(settings.SUBGRAPH_SECRET ?? [], log);
  const clients = createClientLimits(settings, metrics);
  return {
    auth,
    tickets,
    callers: createRequestCallers(auth, tickets, clients),
    clients,
    origins: createAllowedOrigins(settings.CORS_ORIGINS, explore),
  };
}
