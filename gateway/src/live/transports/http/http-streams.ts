import { ANONYMOUS, type Identity } from '@gudang/auth';
import type { Health, Stoppable } from '@gudang/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { AllowedOrigins } from '../../../allowed-origins.ts';
import { atExpiry } from '../../../auth/expiry.ts';
import { contextOf } from '../../../context.ts';
import { badRequest, RequestError } from '../../../errors/request-error.ts';
import type { GatewayHeaders } from '../../../headers/gateway-headers.ts';
import type { AdmittedRequest } from '../../../limits/admission.ts';
import { holdUntilRead } from '../../../limits/answer-bytes.ts';
import type { ClientLimits } from '../../../limits/client-limits.ts';
import { onDisconnect } from '../../../request-deduplication/ref-counted-abort.ts';
import type { RequestDeduplication } from '../../../request-pipeline/request-deduplication.ts';
import { ACCEPTS_JSON, type StreamType } from '../../../requests/accepted-types.ts';
import { type GraphQLRequest, JSON_BODY } from '../../../requests/graphql-request.ts';
import { readLiveExtension } from '../../../requests/live-extension.ts';
import type { LiveMetrics } from '../../fanout/live-metrics.ts';
import { paced } from '../../fanout/pacing.ts';
import type { StreamRegistry } from '../../fanout/stream-registry.ts';
import {
  createEncoders,
  type Encoders,
  type HttpFormat,
  multipart,
  serverSentEvents,
} from './http-format.ts';
import { HttpStream } from './http-stream.ts';

const GOING_AWAY: GraphQLFormattedError = {
  message: 'The gateway is stopping. Subscribe again.',
  extensions: { code: 'GOING_AWAY', retryable: true },
};
const STOPPING = new RequestError(503, GOING_AWAY.message, { code: 'GOING_AWAY', retryable: true });
const FORBIDDEN_ORIGIN = new RequestError(
  403,
  'Pages of this origin may not use the gateway: it is not in CORS_ORIGINS.',
  { code: 'FORBIDDEN' },
);
const TOKEN_EXPIRED: GraphQLFormattedError = {
  message: 'The token has expired. Subscribe again with a fresh one.',
  extensions: { code: 'UNAUTHENTICATED' },
};
const STREAM_NOT_ACCEPTED = badRequest(
  'Subscriptions are served at this address over graphql-transport-ws, as text/event-stream, or as multipart/mixed;subscriptionSpec=1.0. Accept one of them.',
);
const ANSWER_NOT_ACCEPTED = badRequest(
  'Queries and mutations are answered as application/json, application/graphql-response+json, or text/event-stream. Accept one of them.',
  406,
);
const MUTATION_BY_GET = new RequestError(
  405,
  'A mutation must be sent by POST',
  { code: 'BAD_REQUEST' },
  { allow: 'POST' },
);

const FORMATS: Readonly<Record<StreamType, HttpFormat>> = {
  'text/event-stream': serverSentEvents,
  'multipart/mixed': multipart,
};

interface HttpStreamsOptions {
  readonly connections: ClientLimits['connections'];
  readonly addresses: Pick<ClientLimits['addresses'], 'of'>;
  readonly memory: Pick<ClientLimits['memory'], 'connection'>;
  readonly planning: Pick<ClientLimits['planning'], 'charged'>;
  readonly requests: RequestDeduplication;
  readonly live: Pick<StreamRegistry, 'subscribe'>;
  readonly present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  readonly health: Health;
  readonly headers: Pick<GatewayHeaders, 'read'>;
  readonly origins: Pick<AllowedOrigins, 'allows'>;
  readonly metrics: LiveMetrics;
  /** Interval between heartbeats, in milliseconds. The default depends on the format. */
  readonly heartbeatMs?: number | undefined;
}

/** Live streams in HTTP responses, at the same address as queries and mutations. */
export class HttpStreams implements Stoppable {
  readonly #options: HttpStreamsOptions;
  readonly #open = new Set<HttpStream>();
  readonly #encoders = new Map(
    [serverSentEvents, multipart].map((format) => [format, createEncoders(format)]),
  );
  #isStopping = false;

  constructor(options: HttpStreamsOptions) {
    this.#options = options;
  }

  /**
   * Rejects a GET that may be answered with a stream from a page of a foreign origin, because any page
   * can make a browser send a GET without a preflight. Browsers send a preflight before a POST with JSON.
   * @returns the request, marked as checked: it needs no header that shows a preflight. Clients such as
   * EventSource and urql send none.
   * @throws {RequestError} 403
   */
  checkOrigin({ headers }: FastifyRequest, asked: GraphQLRequest): GraphQLRequest {
    if (asked.method !== 'GET' || !asked.accepts.stream) return asked;
    if (!this.#options.origins.allows(headers)) throw FORBIDDEN_ORIGIN;
    return { ...asked, preflight: JSON_BODY };
  }

  /** Answers a subscription. @throws {RequestError} if the client accepts no stream */
  subscribe(request: FastifyRequest, reply: FastifyReply, admitted: AdmittedRequest): FastifyReply {
    const { stream: type } = admitted.accepts;
    if (!type) throw STREAM_NOT_ACCEPTED;
    const { variables, principal } = admitted;
    const extension = readLiveExtension(admitted);
    const { identity, expiresAt } = principal;
    const client = this.#options.headers.read?.(request.headers, identity);
    const stream = this.#enter(request, reply, type, identity, extension.isPresent);
    const after = lastEventId(request);
    const { account } = stream;
    const { addresses, live, planning } = this.#options;
    const caller = { identity, address: addresses.of(request.raw) };
    const read = { read: admitted, variables, after, identity, ...client, account, extension };
    stream.attach(planning.charged(caller, () => live.subscribe(read, stream)));
    reply.raw.once(
      'close',
      atExpiry(expiresAt, () => stream.expire(TOKEN_EXPIRED)),
    );
    return reply;
  }

  /**
   * Answers a query or mutation with an event stream of one result.
   * @throws {RequestError} if the client does not accept an event stream
   */
  async answer(
    request: FastifyRequest,
    reply: FastifyReply,
    admitted: AdmittedRequest,
  ): Promise<FastifyReply> {
    const { accepts, method, operation, principal } = admitted;
    if (accepts.stream !== 'text/event-stream') throw ANSWER_NOT_ACCEPTED;
    if (method === 'GET' && operation.operation === 'mutation') throw MUTATION_BY_GET;
    const { identity } = principal;
    const read = this.#options.headers.read?.(request.headers, identity);
    const stream = this.#enter(request, reply, accepts.stream, identity);
    const address = this.#options.addresses.of(request.raw);
    const context = contextOf(request.headers, identity, address, read);
    // The stream contains the same JSON as other protocols. The origin has been checked, which
    // replaces the CSRF prevention of a GET.
    const asked = { ...admitted, ...AS_JSON_POST };
    try {
      const { body } = await this.#options.requests.answer(asked, context, onDisconnect(reply.raw));
      const isQuery = operation.operation === 'query';
      holdUntilRead({ body, isQuery }, reply.raw, this.#options.memory, { identity, address });
      stream.answer(body);
    } catch (error) {
      stream.error(this.#options.present([error as GraphQLError]));
    }
    return reply;
  }

  /** Answers a request that was not admitted with a stream that contains only errors. */
  refuse(
    request: FastifyRequest,
    reply: FastifyReply,
    type: StreamType,
    errors: readonly GraphQLFormattedError[],
  ): FastifyReply {
    this.#start(request, reply, FORMATS[type], ANONYMOUS).error(errors);
    return reply;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#options.health.drain();
    await paced(this.#open, (stream) => stream.interrupt(GOING_AWAY));
  }

  /** Starts a stream that counts as a connection. @throws {RequestError} above a limit */
  #enter(
    request: FastifyRequest,
    reply: FastifyReply,
    type: StreamType,
    identity: Identity,
    isLive = false,
  ): HttpStream {
    const { addresses, connections } = this.#options;
    if (this.#isStopping) throw STOPPING;
    reply.raw.once('close', connections.enter(addresses.of(request.raw)));
    return this.#start(request, reply, FORMATS[type], identity, isLive);
  }

  #start(
    request: FastifyRequest,
    reply: FastifyReply,
    format: HttpFormat,
    identity: Identity,
    isLive = false,
  ): HttpStream {
    const { addresses, heartbeatMs, memory, metrics } = this.#options;
    reply.hijack();
    metrics.clients.inc();
    const encoders = this.#encoders.get(format) as Encoders;
    const stream: HttpStream = new HttpStream({
      response: reply.raw,
      format,
      account: memory.connection(
        { identity, address: addresses.of(request.raw) },
        { onEvict: () => stream.evict() },
      ),
      encode: isLive ? encoders.live : encoders.plain,
      headers: reply.getHeaders(),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      onClosed: () => {
        metrics.clients.dec();
        this.#open.delete(stream);
      },
    });
    this.#open.add(stream);
    request.raw.socket.setKeepAlive(true, 30_000);
    return stream;
  }
}

const AS_JSON_POST = { accepts: ACCEPTS_JSON, method: 'POST', preflight: JSON_BODY } as const;

function lastEventId(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
