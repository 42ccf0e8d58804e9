import { isKnown } from '@gudang/service';
import { TICKET_S, type Tickets } from '@gudang/service/auth';
import type { FastifyInstance } from 'fastify';
import type { RequestCallers } from './request-callers.ts';

/** Gives tickets at `POST /graphql/ticket` to whoever shows a token: `{ ticket, expiresInS }`. */
export function serveTickets(
  app: FastifyInstance,
  { identify, of }: RequestCallers,
  { issue }: Pick<Tickets, 'issue'>,
): void {
  app.post('/graphql/ticket', { onRequest: identify }, async (request, reply) => {
    const caller = of(request);
    if (!isKnown(caller.identity)) {
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
