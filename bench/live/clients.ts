/** Child process with websocket clients that record only the arrival times of events. */
import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

interface Asked {
  readonly open?: { url: string; count: number; queries: readonly string[] };
  readonly report?: true;
}

const sockets: WebSocket[] = [];
const AT = Buffer.from('"at":');
let received = 0;
let latencies: number[] = [];

function take(data: Buffer): void {
  received += 1;
  // Counts all events, but measures the time of only every tenth. If this process parsed all
  // events, it would take CPU time from the gateway.
  if (received % 10 !== 0) return;
  const place = data.indexOf(AT);
  if (place < 0) return;
  const at = Number.parseFloat(data.toString('latin1', place + AT.length, place + AT.length + 20));
  latencies.push(performance.timeOrigin + performance.now() - at);
}

async function openOne(url: string, query: string): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  sockets.push(socket);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  socket.on('message', take);
  socket.on('close', (code) => process.stderr.write(`a client was closed with ${code}\n`));
  socket.send(JSON.stringify({ id: randomUUID(), type: 'subscribe', payload: { query } }));
}

process.on('message', async ({ open, report }: Asked) => {
  if (open) {
    for (let done = 0; done < open.count; done += 50) {
      const few = Array.from({ length: Math.min(50, open.count - done) }, (_, index) =>
        openOne(open.url, open.queries[(done + index) % open.queries.length] ?? ''),
      );
      await Promise.all(few);
    }
    process.send?.({});
  }
  if (!report) return;
  process.send?.({ received, latencies });
  received = 0;
  latencies = [];
});
process.send?.({});
