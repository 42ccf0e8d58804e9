import type { Health, Stoppable } from '@gudang/runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { AllowedOrigins } from '../../../allowed-origins.ts';
import { atExpiry } from '../../../auth/expiry.ts';
import type { RequestCallers } from '../../../auth/request-callers.ts';
import { contextOf } from '../../../context.ts';
import { RequestError } from '../../../errors/request-error.ts';
import { type Admission, setAdmitted } from '../../../limits/admission.ts';
import type { ClientLimits } from '../../../limits/client-limits.ts';
import { sendErrors } from '../../../limits/send-refusal.ts';
import type { LiveMetrics } from '../../fanout/live-metrics.ts';
import { paced } from '../../fanout/pacing.ts';
import type { StreamRegistry } from '../../fanout/stream-registry.ts';
import type { OperationExecutor } from '../operation-executor.ts';
import { createEncoder, type HttpFormat, multipart, serverSentEvents } from './http-format.ts';
import { type HttpOperation, HttpRequestError, readHttpOperation } from './http-operation.ts';
import { type HttpStream, startHttpStream } from './http-stream.ts';

const GOING_AWAY: GraphQLFormattedError = {
  message: 'The gateway stops: subscribe again',
  extensions: { code: 'GOING_AWAY', retryable: true },
};

export interface HttpStreams extends Stoppable {
  /**
   * Takes the requests that are for a stream; all others go on to Apollo Server.
   * @throws {RequestError}
   */
  readonly handle: (
    request: FastifyRequest,
    reply: FastifyReply,
  ) => Promise<FastifyReply | undefined>;
}

/** Live streams in HTTP responses, at the same address as queries and mutations. */
export function startHttpStreams({
  admission,
  rate,
  connections,
  addresses,
  execute,
  live,
  present,
  health,
  callers,
  origins,
  metrics,
  heartbeatMs,
}: {
  admission: Pick<Admission, 'admit' | 'checkNesting'>;
  rate: ClientLimits['rate'];
  connections: ClientLimits['connections'];
  addresses: Pick<ClientLimits['addresses'], 'of'>;
  execute: OperationExecutor;
  live: Pick<StreamRegistry, 'subscribe'>;
  present: (errors: readonly GraphQLError[]) => readonly GraphQLFormattedError[];
  health: Health;
  callers: Pick<RequestCallers, 'of'>;
  origins: Pick<AllowedOrigins, 'allows'>;
  metrics: LiveMetrics;
  heartbeatMs?: number | undefined;
}): HttpStreams {
  const open = new Set<HttpStream>();
  const encoders = new Map([serverSentEvents, multipart].map((one) => [one, createEncoder(one)]));
  let stopping = false;

  const start = (request: FastifyRequest, reply: FastifyReply, format: HttpFormat): HttpStream => {
    reply.hijack();
    metrics.clients.inc();
    const stream = startHttpStream({
      response: reply.raw,
      format,
      encode: encoders.get(format) as ReturnType<typeof createEncoder>,
      headers: reply.getHeaders(),
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      onClosed: () => {
        metrics.clients.dec();
        open.delete(stream);
      },
    });
    open.add(stream);
    request.raw.socket.setKeepAlive(true, 30_000);
    return stream;
  };

  return {
    handle: async (request, reply) => {
      const format = formatOf(request.headers.accept);
      // Any page can make a browser send a GET; a POST with JSON needs leave.
      if (format && request.method === 'GET' && !origins.allows(request.headers)) {
        return sendErrors(reply, 403, [OTHER_ORIGIN]);
      }
      const address = addresses.of(request.raw);
      const turn = rate.take(callers.of(request).identity, address);
      if (turn) await turn;
      let read: HttpOperation;
      try {
        admission.checkNesting(request.body);
        read = readHttpOperation(request, admission, format === serverSentEvents);
      } catch (error) {
        // A client of a stream reads there what is wrong with its operation.
        if (error instanceof HttpRequestError || (!format && error instanceof RequestError)) {
          throw error;
        }
        if (!format) return undefined;
        start(request, reply, format).sink.error(present([error as GraphQLError]));
        return reply;
      }
      const { admitted: operation, forStream } = read;
      if (operation) setAdmitted(request, operation);
      if (!operation || !forStream) return undefined;
      if (!format) return sendErrors(reply, 400, [NOT_ACCEPTABLE]);
      if (stopping) return sendErrors(reply, 503, [GOING_AWAY]);

      reply.raw.once('close', connections.enter(address));
      const stream = start(request, reply, format);
      const { identity, expiresAt } = callers.of(request);
      const context = contextOf(request.headers, identity);
      const { query, variables, operationName: name } = operation;
      if (operation.operation.operation === 'subscription') {
        const asked = { read: operation, variables, after: lastEventId(request) };
        stream.attach(live.subscribe({ ...asked, identity }, stream.sink));
        const callOff = atExpiry(expiresAt, () => stream.expire(TOKEN_EXPIRED));
        reply.raw.once('close', callOff);
        return reply;
      }
      const asked = { query, variables, ...(name === undefined ? {} : { operationName: name }) };
      try {
        stream.answer(JSON.stringify(await execute(asked, context)));
      } catch (error) {
        stream.sink.error(present([error as GraphQLError]));
      }
      return reply;
    },
    stop: async () => {
      stopping = true;
      health.drain();
      await paced(open, (stream) => stream.interrupt(GOING_AWAY));
    },
  };
}

const OTHER_ORIGIN: GraphQLFormattedError = {
  message: 'Pages of this origin may not use the gateway: it is not in CORS_ORIGINS',
  extensions: { code: 'FORBIDDEN' },
};

const TOKEN_EXPIRED: GraphQLFormattedError = {
  message: 'The token has expired: subscribe again with a fresh one',
  extensions: { code: 'UNAUTHENTICATED' },
};

const NOT_ACCEPTABLE: GraphQLFormattedError = {
  message:
    'Subscriptions are served at this same address over graphql-transport-ws, as text/event-stream or as multipart/mixed;subscriptionSpec=1.0: accept one of them',
  extensions: { code: 'BAD_REQUEST' },
};

function formatOf(accept: string | undefined): HttpFormat | undefined {
  if (accept === undefined) return undefined;
  if (/text\/event-stream/i.test(accept)) return serverSentEvents;
  return /multipart\/mixed[^,]*subscriptionSpec/i.test(accept) ? multipart : undefined;
}

function lastEventId(request: FastifyRequest): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
