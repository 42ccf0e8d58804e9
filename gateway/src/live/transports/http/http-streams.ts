import type { Health, Stoppable } from '@gudang/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { AllowedOrigins } from '../../../allowed-origins.ts';
import { atExpiry } from '../../../auth/expiry.ts';
import type { RequestCallers } from '../../../auth/request-callers.ts';
import { contextOf } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import { sendErrors } from '../../../errors/send-errors.ts';
import { type Admission, type AdmittedOperation, setAdmitted } from '../../../limits/admission.ts';
import type { ClientLimits } from '../../../limits/client-limits.ts';
import type { OperationExecutor } from '../../../request-pipeline/request-pipeline.ts';
import type { LiveMetrics } from '../../fanout/live-metrics.ts';
import { paced } from '../../fanout/pacing.ts';
import type { StreamRegistry } from '../../fanout/stream-registry.ts';
import { createEncoder, type HttpFormat, multipart, serverSentEvents } from './http-format.ts';
import { type HttpOperation, HttpRequestError, readHttpOperation } from './http-operation.ts';
import { HttpStream } from './http-stream.ts';

const GOING_AWAY: GraphQLFormattedError = {
  message: 'The gateway is stopping. Subscribe again.',
  extensions: { code: 'GOING_AWAY', retryable: true },
};
const FORBIDDEN_ORIGIN: GraphQLFormattedError = {
  message: 'Pages of this origin may not use the gateway: it is not in CORS_ORIGINS.',
  extensions: { code: 'FORBIDDEN' },
};
const TOKEN_EXPIRED: GraphQLFormattedError = {
  message: 'The token has expired. Subscribe again with a fresh one.',
  extensions: { code: 'UNAUTHENTICATED' },
};
const NOT_ACCEPTABLE: GraphQLFormattedError = {
  message:
    'Subscriptions are served at this address over graphql-transport-ws, as text/event-stream, or as multipart/mixed;subscriptionSpec=1.0. Accept one of them.',
  extensions: { code: 'BAD_REQUEST' },
};

interface HttpStreamsOptions {
  readonly admission: Pick<Admission, 'admit' | 'assertNesting'>;
  readonly rate: ClientLimits['rate'];
  readonly connections: ClientLimits['connections'];
  readonly addresses: Pick<ClientLimits['addresses'], 'of'>;
  readonly execute: OperationExecutor;
  readonly live: Pick<StreamRegistry, 'subscribe'>;
  readonly present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  readonly health: Health;
  readonly callers: Pick<RequestCallers, 'of'>;
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
    [serverSentEvents, multipart].map((format) => [format, createEncoder(format)]),
  );
  #isStopping = false;

  constructor(options: HttpStreamsOptions) {
    this.#options = options;
  }

  /**
   * Answers a request for a stream.
   * @returns undefined for any other request, which Apollo Server must answer
   * @throws {RequestError}
   */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const { addresses, admission, callers, connections, origins, present, rate } = this.#options;
    const format = formatOf(request.headers.accept);
    // Any page can make a browser send a GET without a preflight, so the origin of a GET is checked
    // here. A POST is not checked, because browsers send a preflight before a POST with JSON.
    if (format && request.method === 'GET' && !origins.allows(request.headers)) {
      return sendErrors(reply, 403, [FORBIDDEN_ORIGIN]);
    }
    const address = addresses.of(request.raw);
    const turn = rate.take(callers.of(request).identity, address);
    if (turn) await turn;
    let read: HttpOperation;
    try {
      admission.assertNesting(request.body);
      read = readHttpOperation(request, admission, format === serverSentEvents);
    } catch (error) {
      // A client that accepts a stream receives errors in the stream, including errors about
      // exceeded limits.
      if (error instanceof HttpRequestError || (!format && error instanceof RequestError)) {
        throw error;
      }
      if (!format) return undefined;
      this.#start(request, reply, format).error(present([error as GraphQLError]));
      return reply;
    }
    const { admitted: operation, forStream } = read;
    if (operation) setAdmitted(request, operation);
    if (!operation || !forStream) return undefined;
    if (!format) return sendErrors(reply, 400, [NOT_ACCEPTABLE]);
    if (this.#isStopping) return sendErrors(reply, 503, [GOING_AWAY]);
    reply.raw.once('close', connections.enter(address));
    const stream = this.#start(request, reply, format);
    if (operation.operation.operation === 'subscription') {
      this.#subscribe(request, reply, operation, stream);
    } else await this.#execute(request, operation, stream);
    return reply;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#options.health.drain();
    await paced(this.#open, (stream) => stream.interrupt(GOING_AWAY));
  }

  #start(request: FastifyRequest, reply: FastifyReply, format: HttpFormat): HttpStream {
    const { heartbeatMs, metrics } = this.#options;
    reply.hijack();
    metrics.clients.inc();
    const stream = new HttpStream({
      response: reply.raw,
      format,
      encode: this.#encoders.get(format) as ReturnType<typeof createEncoder>,
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

  #subscribe(
    request: FastifyRequest,
    reply: FastifyReply,
    read: AdmittedOperation,
    stream: HttpStream,
  ): void {
    const { callers, live } = this.#options;
    const { identity, expiresAt } = callers.of(request);
    const { variables } = read;
    const after = lastEventId(request);
    stream.attach(live.subscribe({ read, variables, after, identity }, stream));
    reply.raw.once(
      'close',
      atExpiry(expiresAt, () => stream.expire(TOKEN_EXPIRED)),
    );
  }

  async #execute(
    request: FastifyRequest,
    { query, variables, operationName: name }: AdmittedOperation,
    stream: HttpStream,
  ): Promise<void> {
    const { callers, execute, present } = this.#options;
    const context = contextOf(request.headers, callers.of(request).identity);
    const operation = { query, variables, ...(name === undefined ? {} : { operationName: name }) };
    try {
      stream.answer(JSON.stringify(await execute(operation, context)));
    } catch (error) {
      stream.error(present([error as GraphQLError]));
    }
  }
}

function formatOf(accept: string | undefined): HttpFormat | undefined {
  if (accept === undefined) return undefined;
  if (/text\/event-stream/i.test(accept)) return serverSentEvents;
  return /multipart\/mixed[^,]*subscriptionSpec/i.test(accept) ? multipart : undefined;
}

function lastEventId(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
