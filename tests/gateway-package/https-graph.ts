import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/**
 * Starts a server on a free port of 127.0.0.1 that publishes a supergraph over HTTPS, and answers each
 * operation at `/graphql` with the same data.
 */
export async function startHttpsGraph(
  { cert, private: key }: { readonly cert: string; readonly private: string },
  sdl: string,
  data: object,
) {
  const requests: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    if (request.url === '/graphql') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data }));
    } else {
      response.setHeader('content-type', 'text/plain');
      response.end(sdl);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Returns the requests so far, for example `GET /supergraph.graphql`. */
    requests: (): readonly string[] => requests,
    stop: async (): Promise<void> => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
