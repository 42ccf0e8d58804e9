import { isAuthenticated, TICKET_S, type Tickets } from '@gudang/auth';
import type { FastifyInstance } from 'fastify';
import { answerRefusals } from '../limits/answer-refusals.ts';
import type { ClientAddress } from '../limits/client-address.ts';
import type { RequestRate } from '../limits/request-rate.ts';
import type { RequestCallers } from './request-callers.ts';

/** What it costs to ask for one: an operation of whoever asks. */
interface Limits {
  readonly rate: RequestRate;
  readonly addresses: Pick<ClientAddress, 'of'>;
  readonly bodyBytes: number;
}

/** Gives tickets at `POST /graphql/ticket` to whoever shows a token: `{ ticket, expiresInS }`. */
export function serveTickets(
  app: FastifyInstance,
  { identify, of }: RequestCallers,
  { issue }: Pick<Tickets, 'issue'>,
  { rate, addresses, bodyBytes }: Limits,
): void {
  const route = { onRequest: identify, errorHandler: answerRefusals(bodyBytes) };
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
  message: 'A ticket stands for a token: send one as "Authorization: Bearer <token>"',
  extensions: { code: 'UNAUTHENTICATED' },
};
