import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { allowsJourneys } from '@gudang/runtime/tracing';
import { JourneyStore } from './journey-store.ts';
import { ENTRIES } from './order-journey.ts';
import { readSpans } from './read-spans.ts';

/** Maximum size of a request's body, in bytes. A request of a service has at most 1,000 spans. */
const MAX_BODY = 2 * 1024 * 1024;
const REQUEST_LIMIT_MS = 5_000;
/** Maximum number of connections: each service has one, and the gateway one more. */
const MAX_CONNECTIONS = 32;

export interface JourneyReceiver {
  /** The URL for `JOURNEYS_URL`. It contains a secret, so that other programs cannot read or send. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Receives spans at `v1/traces` by OTLP over HTTP in JSON, and serves the newest journeys of orders at
 * `journeys`. It listens on a free port of the loopback address, and does not keep the process alive.
 */
export async function receiveJourneys(): Promise<JourneyReceiver> {
  const secret = randomBytes(16).toString('hex');
  const store = new JourneyStore();
  const server = createServer({ requestTimeout: REQUEST_LIMIT_MS }, (request, response) => {
    answer(request, `/${secret}`, store).then(
      ([status, body]) => send(response, status, body),
      () => response.destroy(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/${secret}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

type Answer = readonly [status: number, body: object];

async function answer(
  request: IncomingMessage,
  path: string,
  store: JourneyStore,
): Promise<Answer> {
  const { method, url, headers } = request;
  if (method === 'GET' && url === `${path}/journeys`) return [200, store.newest()];
  if (method !== 'POST' || url !== `${path}/v1/traces`) return [404, {}];
  if (!headers['content-type']?.startsWith('application/json')) {
    return [415, { message: 'Send OTLP in JSON, with the type application/json' }];
  }
  if (Number(headers['content-length'] ?? 0) > MAX_BODY) {
    return [413, { message: `A body may have at most ${MAX_BODY} bytes` }];
  }
  const body = parse(await readText(request));
  if (body === undefined) return [400, { message: 'The body is not JSON' }];
  store.add(readSpans(body));
  return [200, {}];
}

/** @throws if the body was sent in chunks and is too large */
async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY) throw new Error('The body is too large');
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/**
 * Starts a receiver, unless tracing is configured or turned off.
 * @returns the settings that make the services send journeys to the receiver; empty without one
 */
export async function startJourneys(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  if (!allowsJourneys(env) || env.JOURNEYS_URL?.trim()) return {};
  const { url } = await receiveJourneys();
  return { JOURNEYS_URL: url, JOURNEYS_OF: ENTRIES.join(',') };
}
