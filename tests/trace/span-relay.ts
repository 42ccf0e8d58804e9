import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A relay between the services and the receiver of journeys. */
export interface SpanRelay {
  readonly url: string;
  /** All requests of the services, as text. */
  readonly sent: () => string;
  /** Keeps requests without an answer from now on. */
  readonly hold: () => void;
  readonly stop: () => Promise<void>;
}

/** @param target URL of the receiver */
export async function startSpanRelay(target: string): Promise<SpanRelay> {
  const bodies: string[] = [];
  let isHeld = false;
  const server = createServer(async (request, response) => {
    if (isHeld) return;
    const { method = 'GET', url, headers } = request;
    const body = method === 'POST' ? await text(request) : undefined;
    if (body !== undefined) bodies.push(body);
    const type = headers['content-type'];
    const answer = await fetch(`${target}${url}`, {
      method,
      ...(body === undefined ? {} : { body }),
      ...(type ? { headers: { 'content-type': type } } : {}),
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => bodies.join('\n'),
    hold: () => {
      isHeld = true;
    },
    stop: async () => {
      server.closeAllConnections();
      if (server.listening) await once(server.close(), 'close');
    },
  };
}
