import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { Logger } from '@gudang/runtime';
import { badUserInput } from '@gudang/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { SubgraphService } from '../start-subgraph.ts';
import { type FieldNames, notFound, type RestError, toRestError } from './rest-error.ts';
import { traceRequests } from './trace-requests.ts';

/** Maximum number of rows in a list. If there are more rows, the list contains only the newest. */
export const REST_LIST_LIMIT = 1_000;

/** Maximum number of characters of a path that an error quotes. */
const SHOWN_PATH = 200;

/** A response in the format of the legacy REST API. */
export interface RestAnswer {
  readonly Message: string;
  readonly Data?: unknown;
}

/** The caller and the trace of a request. */
export interface RequestContext {
  /** The caller that the request's token identifies. */
  readonly identity: Identity;
  /**
   * W3C traceparent to propagate: the traceparent of the request's span, or of the request's cause if the
   * request is not traced.
   */
  readonly traceparent: string | undefined;
}

export type RequestContextOf = (request: FastifyRequest) => RequestContext;

/** The parts of a subgraph that the routes of the REST API use. */
export type RestService = Pick<SubgraphService, 'app' | 'auth' | 'log' | 'isOutage' | 'restRate'>;

/**
 * Serves routes of the legacy REST API under a prefix, with and without a trailing slash. Errors have the
 * legacy format, `{ Message, Error }`. Only JSON bodies are accepted, to prevent CSRF by HTML forms. A
 * request with an invalid token is rejected, and so are requests above the rate limit.
 * @param names the REST names of GraphQL arguments, for error messages
 */
export async function serveRest(
  { app, auth, log, isOutage, restRate }: RestService,
  { prefix, names }: { prefix: string; names: FieldNames },
  addRoutes: (rest: FastifyInstance, contextOf: RequestContextOf) => void,
): Promise<void> {
  const identities = new WeakMap<FastifyRequest, Identity>();
  await app.register(
    (rest, _options, done) => {
      const traceparentOf = traceRequests(rest, prefix);
      rest.addHook('onRequest', async (request) => {
        // Fastify would ignore what follows, but a proxy in front of this server may not.
        if (request.raw.url?.includes('#')) throw badUserInput('The address', 'without #');
        const { authorization } = request.headers;
        const { identity } = await auth.authenticate(authorization, restRate.checkTokens(request));
        await restRate.take(request, identity);
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
        const path = request.url.split('?', 1).join('').slice(0, SHOWN_PATH);
        return send(reply, notFound(`There is no ${request.method} ${path} here`));
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

/**
 * Returns a handler for requests whose URL the router cannot parse. The handler responds with an error in
 * the legacy format.
 */
export function rejectUnreadableUrl(
  log: Logger,
  isOutage: (error: unknown) => boolean,
): NonNullable<FastifyServerOptions['frameworkErrors']> {
  return (error, request, reply) =>
    void send(reply, toRestError(error, { names: {}, log, where: request.url, isOutage }));
}

function parseJson(body: Buffer): unknown {
  // Some clients send the Content-Type header with a DELETE request, although this request has no body.
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw badUserInput('The body', 'valid JSON in UTF-8');
  }
}

/**
 * Returns the body of a request as an object with unchecked fields.
 * @throws {ServiceError} BAD_USER_INPUT if the body is missing or is not an object
 */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Readonly<Record<string, unknown>>;
  }
  throw badUserInput('The body', 'a JSON object');
}

function send(reply: FastifyReply, { status, body }: RestError): FastifyReply {
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  if (status === 429) void reply.header('retry-after', '1');
  return reply.code(status).send(body);
}
