import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { RequestCallers } from './auth/request-callers.ts';
import { contextOf } from './context.ts';
import { lastPart } from './defer/answer-parts.ts';
import { MULTIPART_TYPE, readMultipart } from './defer/multipart-answer.ts';
import { badRequest, RequestError } from './errors/request-error.ts';
import type { GatewayHeaders } from './headers/gateway-headers.ts';
import type { Admission, AdmittedRequest } from './limits/admission.ts';
import { createReadHold, holdUntilRead } from './limits/answer-bytes.ts';
import type { ClientLimits } from './limits/client-limits.ts';
import type { AssertNotOverloaded } from './limits/overload.ts';
import type { HttpStreams } from './live/transports/http/http-streams.ts';
import { onDisconnect } from './request-deduplication/ref-counted-abort.ts';
import type { RequestDeduplication } from './request-pipeline/request-deduplication.ts';
import { acceptedTypes } from './requests/accepted-types.ts';
import type { GraphQLRequest } from './requests/graphql-request.ts';
import { readHttpRequest } from './requests/http-request.ts';
import { acceptJsonBodies } from './requests/json-body.ts';
import { createErrorHandler, sendErrors } from './requests/send-errors.ts';

interface EndpointOptions {
  readonly callers: RequestCallers;
  readonly admission: Pick<Admission, 'admit' | 'assertJsonValue'>;
  /** Answers with live streams, and with event streams that contain one result. */
  readonly streams: HttpStreams;
  /** Answers queries and mutations. */
  readonly requests: RequestDeduplication;
  readonly rate: ClientLimits['rate'];
  readonly planning: ClientLimits['planning'];
  readonly addresses: Pick<ClientLimits['addresses'], 'of'>;
  readonly memory: ClientLimits['memory'];
  readonly assertNotOverloaded: AssertNotOverloaded;
  readonly headers: Pick<GatewayHeaders, 'read' | 'inserted'>;
  readonly present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  /** Maximum size of a body. */
  readonly bodyBytes: number;
}

/** Serves `/graphql`: queries, mutations, and live streams over HTTP. */
export function serveGraphql(app: FastifyInstance, options: EndpointOptions): void {
  const { callers, assertNotOverloaded, bodyBytes } = options;
  void app.register((scope, _options, done) => {
    acceptJsonBodies(scope, (request, bytes) => countBody(request, bytes, options));
    scope.route({
      method: ['GET', 'POST', 'OPTIONS'],
      url: '/graphql',
      bodyLimit: bodyBytes,
      errorHandler: createErrorHandler(bodyBytes),
      onRequest: [
        ({ headers, raw }, _reply, done) => {
          // Fastify ignores the part of the target that follows `#`.
          if (raw.url?.includes('#')) throw FRAGMENT;
          // A client that accepts streams may send a subscription, which is not rejected under load.
          if (!acceptedTypes(headers.accept).stream) assertNotOverloaded();
          done();
        },
        ...insertHeaders(options.headers),
        callers.identify,
        (request, _reply, done) => {
          const turn = countOperation(request, options);
          if (turn === undefined) done();
          else turn.then(() => done(), done);
        },
      ],
      handler: (request, reply) => handle(request, reply, options),
    });
    done();
  });
}

/** Returns a hook that adds the inserted headers to every answer; none without such headers. */
function insertHeaders({ inserted }: EndpointOptions['headers']): onRequestHookHandler[] {
  if (inserted.length === 0) return [];
  const headers = Object.fromEntries(inserted);
  return [
    (_request, reply, done) => {
      void reply.headers(headers);
      done();
    },
  ];
}

/** Size of a body that counts as no more than its operation, in bytes. */
const FREE_BYTES = 16 * 1024;
/** Number of further bytes that count as one more operation, because reading them takes as long. */
const BYTES_PER_OPERATION = 4 * 1024;

const weightOf = (bytes: number): number =>
  Math.max(0, Math.floor((bytes - FREE_BYTES) / BYTES_PER_OPERATION));

/** Counts an operation before its body is read. @returns undefined when no limit applies */
function countOperation(
  request: FastifyRequest,
  { addresses, callers, rate }: EndpointOptions,
): Promise<void> | undefined {
  const { identity } = callers.of(request);
  const announced = Number(request.headers['content-length'] ?? 0);
  return rate.take(identity, addresses.of(request.raw), 1 + weightOf(announced));
}

/** Counts a body that was sent in chunks. @returns undefined when no limit applies */
function countBody(
  request: FastifyRequest,
  bytes: number,
  { addresses, callers, rate }: EndpointOptions,
): Promise<void> | undefined {
  const weight = request.headers['content-length'] === undefined ? weightOf(bytes) : 0;
  if (weight === 0) return undefined;
  return rate.take(callers.of(request).identity, addresses.of(request.raw), weight);
}

async function handle(
  request: FastifyRequest,
  reply: FastifyReply,
  options: EndpointOptions,
): Promise<unknown> {
  const { addresses, callers, requests, streams } = options;
  const principal = callers.of(request);
  const address = addresses.of(request.raw);
  const asked = streams.checkOrigin(request, readHttpRequest(request, principal));
  let admitted: AdmittedRequest;
  try {
    const { admission, planning } = options;
    const inBody = admission.assertJsonValue(request.body);
    const values = request.method === 'POST' ? inBody : undefined;
    const caller = { identity: principal.identity, address };
    admitted = planning.charged(caller, () => admission.admit(asked, values));
  } catch (error) {
    return sendRefusal(error as GraphQLError, asked, request, reply, options);
  }
  if (admitted.operation.operation === 'subscription') {
    return streams.subscribe(request, reply, admitted);
  }
  options.assertNotOverloaded();
  const { json, parts: acceptsParts } = admitted.accepts;
  if (!json && !acceptsParts) return streams.answer(request, reply, admitted);
  const read = options.headers.read?.(request.headers, principal.identity);
  const context = contextOf(request.headers, principal.identity, address, read);
  const answer = await requests.answer(admitted, context, onDisconnect(reply.raw));
  const isQuery = admitted.operation.operation === 'query';
  const { identity } = principal;
  const caller = { identity, address };
  const { body } = answer;
  holdUntilRead({ body, isQuery }, reply.raw, options.memory, caller);
  void reply.code(answer.status);
  for (const [name, value] of answer.headers) void reply.header(name, value);
  // A client that reads no JSON gets a multipart answer with one part.
  const isOnlyPart = !json && answer.status === 200;
  if (!answer.parts && !isOnlyPart) return body;
  const onPart = createReadHold(reply.raw, options.memory, caller);
  const first = answer.parts ? body : lastPart(body);
  return reply
    .headers({ 'content-type': MULTIPART_TYPE, 'cache-control': 'no-store', ...UNBUFFERED })
    .send(readMultipart(first, answer.parts, onPart));
}

/** Without this header, proxies such as nginx would hold back the parts. */
const UNBUFFERED = { 'x-accel-buffering': 'no' } as const;

/**
 * Answers a request that was not admitted. The operation's type may be unknown. A client that accepts
 * only streams, or seems to subscribe, receives the error in a stream.
 */
function sendRefusal(
  error: GraphQLError,
  asked: GraphQLRequest,
  request: FastifyRequest,
  reply: FastifyReply,
  { present, streams }: EndpointOptions,
): FastifyReply {
  const { accepts, query } = asked;
  if (accepts.stream && (!accepts.json || query?.includes('subscription'))) {
    return streams.refuse(request, reply, accepts.stream, present([error]));
  }
  if (error instanceof RequestError) throw error;
  return sendErrors(reply, statusOf(error), present([error]));
}

/** Apollo Client expects status 200 for an unknown persisted query. */
function statusOf({ extensions }: GraphQLError): number {
  return extensions['code'] === 'PERSISTED_QUERY_NOT_FOUND' ? 200 : 400;
}

const FRAGMENT = badRequest('A request target must not have a fragment (RFC 9112, 3.2)');
