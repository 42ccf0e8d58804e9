/** Child process with websocket clients that check that each of them receives every event once. */
import { WebSocket } from 'ws';

interface Asked {
  readonly open?: { url: string; count: number; queries: readonly string[] };
  readonly report?: true;
}

/** Events that one client has received. */
interface Received {
  first: number;
  last: number;
  events: number;
}

const clients: Received[] = [];
/** Events that were missing, events that were not newer than the one before, and all other messages. */
const faults = { lost: 0, repeated: 0, other: [] as string[] };

function take(client: Received, data: Buffer): void {
  const { type, payload } = JSON.parse(String(data));
  if (type === 'ping' || type === 'pong') return;
  const n = payload?.data?.ticked?.n;
  if (type !== 'next' || typeof n !== 'number') return void faults.other.push(String(data));
  if (client.events === 0) client.first = n;
  else if (n <= client.last) faults.repeated += 1;
  else faults.lost += n - client.last - 1;
  client.last = Math.max(client.last, n);
  client.events += 1;
}

async function openOne(url: string, query: string): Promise<void> {
  const socket = new WebSocket(url, 'graphql-transport-ws', { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.send('{"type":"connection_init"}');
  await new Promise((resolve) => socket.once('message', resolve));
  const client = { first: 0, last: 0, events: 0 };
  clients.push(client);
  socket.on('message', (data: Buffer) => take(client, data));
  socket.on('close', (code) => faults.other.push(`closed with ${code}`));
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
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
  process.send?.({
    started: clients.filter(({ events }) => events > 0).length,
    slowest: Math.min(...clients.map(({ last }) => last)),
    events: clients.reduce((sum, { events }) => sum + events, 0),
    expected: clients.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    ...faults,
    other: faults.other.slice(0, 10),
  });
});
process.send?.({});
