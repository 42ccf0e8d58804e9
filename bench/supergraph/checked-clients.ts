/** Child process with websocket clients that check that each of them receives every event once. */
import { serveClients } from '../live/client-process.ts';

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

serveClients(
  () => {
    const client = { first: 0, last: 0, events: 0 };
    clients.push(client);
    return {
      message: (data) => take(client, data),
      closed: (code) => void faults.other.push(`closed with ${code}`),
    };
  },
  () => ({
    started: clients.filter(({ events }) => events > 0).length,
    slowest: Math.min(...clients.map(({ last }) => last)),
    events: clients.reduce((sum, { events }) => sum + events, 0),
    expected: clients.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    ...faults,
    other: faults.other.slice(0, 10),
  }),
);
