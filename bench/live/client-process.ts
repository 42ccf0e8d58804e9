import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

interface Asked {
  readonly open?: { url: string; count: number; queries: readonly string[] };
  readonly report?: true;
}

/** Observes one client. */
interface Observer {
  /** Called with each message after the acknowledgement. */
  readonly message: (data: Buffer) => void;
  readonly closed: (code: number) => void;
}

/** Number of clients that are opened at once. */
const AT_ONCE = 50;

/**
 * Opens websocket clients for the parent process, each with one subscription, and reports what they observed.
 * @param observe called for each client before its subscription starts
 * @param report called when the parent process asks for it; its result is sent
 */
export function serveClients(observe: () => Observer, report: () => object): void {
  process.on('message', async (asked: Asked) => {
    if (asked.open) {
      const { url, count, queries } = asked.open;
      for (let done = 0; done < count; done += AT_ONCE) {
        const few = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, index) =>
          openClient(url, queries[(done + index) % queries.length] ?? '', observe),
        );
        await Promise.all(few);
      }
      process.send?.({});
    }
    if (asked.report) process.send?.(report());
  });
  process.send?.({});
}

async function openClient(url: string, query: string, observe: () => Observer): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  const { message, closed } = observe();
  socket.on('message', message);
  socket.on('close', closed);
  socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload: { query } }));
}
