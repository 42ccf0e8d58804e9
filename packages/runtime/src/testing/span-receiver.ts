import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Stoppable } from '../stoppable.ts';

interface SentSpan {
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { value: { stringValue: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

/** A receiver of spans by OTLP over HTTP in JSON, which can be slow or refuse requests. */
export interface SpanReceiver extends Stoppable {
  readonly url: string;
  /** The paths of all requests. */
  readonly paths: readonly string[];
  /** The spans of the accepted requests. */
  readonly spans: readonly SentSpan[];
  /** The service of each accepted request. */
  readonly services: readonly string[];
  /** Lets requests wait for their answers until `release` is called. */
  readonly hold: () => void;
  readonly release: () => void;
  /** Refuses the next requests with 503. */
  readonly refuse: (count: number) => void;
}

export async function startSpanReceiver(): Promise<SpanReceiver> {
  const paths: string[] = [];
  const spans: SentSpan[] = [];
  const services: string[] = [];
  let refusals = 0;
  let release = (): void => {};
  let held: Promise<void> | undefined;
  const server = createServer(async (request, response) => {
    paths.push(request.url ?? '');
    const { resourceSpans } = (await json(request)) as Sent;
    await held;
    refusals -= 1;
    if (refusals >= 0) {
      response.writeHead(503).end();
      return;
    }
    for (const { resource, scopeSpans } of resourceSpans) {
      services.push(resource.attributes[0]?.value.stringValue ?? '');
      spans.push(...scopeSpans.flatMap((scope) => scope.spans));
    }
    response.end('{}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/secret`,
    paths,
    spans,
    services,
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    refuse: (count) => {
      refusals = count;
    },
    stop: async () => {
      release();
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
