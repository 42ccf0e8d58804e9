import { isAuthenticated, TICKET_S, type Tickets } from '@gudang/auth';
import type { ClientAddress } from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import type { RequestRate } from '../limits/request-rate.ts';
import { createErrorHandler } from '../requests/send-errors.ts';
import type { RequestCallers } from './request-callers.ts';

/**
 * Limits of the ticket endpoint. Each ticket counts as one operation against the caller's rate
 * limit.
 */
interface Limits {
  readonly rate: RequestRate;
  readonly addresses: Pick<ClientAddress, 'of'>;
  readonly bodyBytes: number;
}

/** Serves `POST /graphql/ticket`: an authenticated caller gets `{ ticket, expiresInS }`. */
export function serveTickets(
  app: FastifyInstance,
  { identify, of }: RequestCallers,
  { issue }: Pick<Tickets, 'issue'>,
  { rate, addresses, bodyBytes }: Limits,
): void {
  const route = { onRequest: identify, errorHandler: createErrorHandler(bodyBytes) };
  app.post('/graphql/ticket', route, async (request, reply) => {
    const caller = of(request);
    await rate.take(caller.identity, addresses.of(request.raw));
    if (!isAuthenticated(caller.identity)) {
      void reply.code(401).header('www-authenticate', 'Bearer');
      return { errors: [NO_TOKEN] };
    }
    void reply.header('cache-control', 'no-store');
    return { ticket: await issue(caller), expiresInS: TICKET_S };
  });
}

const NO_TOKEN = {
  message: 'A ticket requires a token: send it as "Authorization: Bearer <token>"',
  extensions: { code: 'UNAUTHENTICATED' },
};
