import {
  ANONYMOUS_PRINCIPAL,
  type Authentication,
  type Principal,
  type Tickets,
} from '@gudang/auth';
import type { ClientAddress } from '@gudang/runtime';
import { ServiceError } from '@gudang/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../errors/request-error.ts';
import type { TokenChecks } from '../limits/token-checks.ts';
import { acceptedTypes } from '../requests/accepted-types.ts';
import { readParameters } from '../requests/http-request.ts';
import { sendRequestError } from '../requests/send-errors.ts';

/** Identifies the principal of each request. */
export interface RequestCallers {
  /** Verifies the token before the body is read, and rejects a request whose token is invalid. */
  readonly identify: (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<FastifyReply | undefined>;
  /** Returns the principal of an identified request. */
  readonly of: (request: FastifyRequest) => Principal;
}

/**
 * Key of the property that holds a request's principal. A WeakMap with requests as keys would slow
 * down garbage collection.
 */
const CALLER = Symbol('caller');
type Identified = FastifyRequest & { [CALLER]?: Principal };

/**
 * Creates the identification of requests by token or ticket.
 * @param tickets for `EventSource`, which cannot send a token in a header
 */
export function createRequestCallers(
  auth: Authentication,
  tickets: Pick<Tickets, 'redeem'>,
  { addresses, tokens }: { addresses: Pick<ClientAddress, 'of'>; tokens: TokenChecks },
): RequestCallers {
  const callerOf = (request: FastifyRequest): Principal | Promise<Principal> => {
    const { authorization } = request.headers;
    if (!auth.on) return auth.authenticate(authorization);
    const ticket = authorization === undefined ? ticketIn(request) : undefined;
    const around = tokens.of(addresses.of(request.raw));
    if (ticket !== undefined) return around(() => tickets.redeem(ticket));
    return auth.authenticate(authorization, around);
  };
  return {
    identify: async (request, reply) => {
      try {
        const caller = callerOf(request);
        (request as Identified)[CALLER] = caller instanceof Promise ? await caller : caller;
        return undefined;
      } catch (error) {
        if (error instanceof ServiceError) return sendTokenError(reply, error);
        if (error instanceof RequestError) return sendRequestError(reply, error);
        throw error;
      }
    },
    of: (request) => (request as Identified)[CALLER] ?? ANONYMOUS_PRINCIPAL,
  };
}

/** Returns the ticket of an `EventSource`. @throws {RequestError} 400 for a malformed target */
function ticketIn({ method, headers, url }: FastifyRequest): string | undefined {
  const isEventSource =
    method === 'GET' && acceptedTypes(headers.accept).stream === 'text/event-stream';
  return isEventSource ? readParameters(url).get('ticket') : undefined;
}

/** Sends the error for a token that is invalid or that cannot be verified at the moment. */
function sendTokenError(
  reply: FastifyReply,
  { code, message, extensions }: ServiceError,
): FastifyReply {
  if (code === 'UNAVAILABLE') void reply.code(503).header('retry-after', '1');
  else void reply.code(401).header('www-authenticate', 'Bearer error="invalid_token"');
  return reply.send({ errors: [{ message, extensions }] });
}
