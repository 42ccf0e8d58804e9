import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { Logger } from '@gudang/runtime';
import { badUserInput } from '@gudang/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { SubgraphService } from '../start-service.ts';
import { type FieldNames, missing, type RestError, toRestError } from './rest-error.ts';
import { traceRequests } from './trace-requests.ts';

/** The most rows in a list; the newest ones. */
export const REST_LIST_LIMIT = 1_000;

/** An answer in the shape that the earlier system's clients know. */
export interface RestAnswer {
  readonly Message: string;
  readonly Data?: unknown;
}

/** What is known of a request beside what it asks for. */
export interface Caller {
  /** Who sent it, by its token. */
  readonly identity: Identity;
  /** What caused it, or its own span once it is traced: W3C, for what comes of it. */
  readonly traceparent: string | undefined;
}

export type CallerOf = (request: FastifyRequest) => Caller;

/**
 * Serves routes of the earlier system's REST interface below a prefix, with and without a slash at
 * its end. Bodies are JSON and nothing else: what a form of another site can send through its
 * visitor's browser is refused, and so is a token that is no good. Errors have its shape,
 * `{ Message, Error }`.
 * @param names what a client calls an argument, for errors
 */
export async function serveRest(
  { app, auth, log, isOutage }: Pick<SubgraphService, 'app' | 'auth' | 'log' | 'isOutage'>,
  { prefix, names }: { prefix: string; names: FieldNames },
  addRoutes: (rest: FastifyInstance, callerOf: CallerOf) => void,
): Promise<void> {
  const identities = new WeakMap<FastifyRequest, Identity>();
  await app.register(
    (rest, _options, done) => {
      const traceparentOf = traceRequests(rest, prefix);
      rest.addHook('onRequest', async (request) => {
        const { identity } = await auth.callerOf(request.headers.authorization);
        identities.set(request, identity);
      });
      rest.removeAllContentTypeParsers();
      rest.addContentTypeParser(
        'application/json',
        { parseAs: 'buffer' },
        async (_request: unknown, body: Buffer) => parseJson(body),
      );
      rest.setErrorHandler((error, request, reply) => {
        const where = `${request.method} ${request.routeOptions.url ?? prefix}`;
        const traceparent = traceparentOf(request);
        return send(reply, toRestError(error, { names, log, where, traceparent, isOutage }));
      });
      rest.setNotFoundHandler((request, reply) => {
        const path = request.url.split('?')[0];
        return send(reply, missing(`There is no ${request.method} ${path} here`));
      });
      addRoutes(rest, (request) => ({
        identity: identities.get(request) ?? ANONYMOUS,
        traceparent: traceparentOf(request),
      }));
      done();
    },
    { prefix },
  );
}

/** Answers, in the same shape, what the router cannot read. */
export function refuseAddress(
  log: Logger,
  isOutage: (error: unknown) => boolean,
): NonNullable<FastifyServerOptions['frameworkErrors']> {
  return (error, request, reply) =>
    void send(reply, toRestError(error, { names: {}, log, where: request.url, isOutage }));
}

function parseJson(body: Buffer): unknown {
  // Clients send the header with a DELETE too.
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw badUserInput('The body', 'valid JSON in UTF-8');
  }
}

/**
 * A request's body as an object whose fields are still to be checked.
 * @throws {ServiceError} BAD_USER_INPUT when it is anything else, or absent
 */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Readonly<Record<string, unknown>>;
  }
  throw badUserInput('The body', 'a JSON object');
}

function send(reply: FastifyReply, { status, body }: RestError): FastifyReply {
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send(body);
}
