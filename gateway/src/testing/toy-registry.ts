import { createHash } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

/**
 * Composes a supergraph with one field, which is loaded in a third of the time of larger ones.
 * @param url address of its only subgraph
 */
export function composeTiny(url: string): string {
  const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")';
  const typeDefs = parse(`${link} type Query { a: Int }`);
  const { supergraphSdl, errors } = composeServices([{ name: 'tiny', url, typeDefs }]);
  if (supergraphSdl === undefined) throw new Error(String(errors));
  return supergraphSdl;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Status of the response; 0 while there is none. */
  readonly status: () => number;
}

export type ToyRegistry = Awaited<ReturnType<typeof startToyRegistry>>;

/**
 * Starts a web server that publishes a text with a strong entity tag, as object stores do.
 * @param first the first text
 */
export async function startToyRegistry(first = '') {
  let published = first;
  const requests: ReceivedRequest[] = [];
  const publish: Handler = (request, response) => {
    const etag = `"${createHash('md5').update(published).digest('hex')}"`;
    const isKnown = request.headers['if-none-match'] === etag;
    response.writeHead(isKnown ? 304 : 200, { etag, 'content-type': 'text/plain' });
    response.end(isKnown ? undefined : published);
  };
  let handler = publish;
  const create = () =>
    createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      requests.push({
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: String(Buffer.concat(chunks)),
        status: () => (response.headersSent ? response.statusCode : 0),
      });
      handler(request, response);
    });
  let server = create();
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/supergraph.graphql`,
    requests,
    publish: (sdl: string): void => {
      published = sdl;
    },
    /** Answers in another way; undefined: publishes the text again. */
    answer: (other?: Handler): void => {
      handler = other ?? publish;
    },
    stop,
    restart: async (): Promise<void> => {
      server = create();
      await listen(port);
    },
  };
}
