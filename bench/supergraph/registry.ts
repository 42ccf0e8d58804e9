import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Starts a web server that publishes a text with an entity tag, and can be made unavailable. */
export async function startRegistry(first: string) {
  let text = first;
  let isAvailable = true;
  const answered = { full: 0, unchanged: 0 };
  const server = createServer((request, response) => {
    if (!isAvailable) return void request.socket.destroy();
    const etag = `"${createHash('sha256').update(text).digest('hex')}"`;
    const isKnown = request.headers['if-none-match'] === etag;
    answered[isKnown ? 'unchanged' : 'full'] += 1;
    response.writeHead(isKnown ? 304 : 200, { etag }).end(isKnown ? undefined : text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/supergraph.graphql`,
    /** Numbers of answers with the text, and of answers that it is unchanged. */
    answered,
    publish: (next: string): void => {
      text = next;
    },
    setAvailable: (available: boolean): void => {
      isAvailable = available;
    },
    stop: async (): Promise<void> => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
