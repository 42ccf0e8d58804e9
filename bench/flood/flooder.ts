/**
 * Child process that floods the gateway from one address; the parent process chooses the kind of
 * flood.
 */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';

export type FloodName = 'slowloris' | 'idle sockets' | 'subscriptions' | 'queries' | 'bad tokens';

interface Asked {
  readonly begin?: FloodName;
  readonly url?: string;
  readonly report?: true;
}

const ADDRESS = { 'x-forwarded-for': '203.0.113.66' };
/** Outcomes by name. */
const counts: Record<string, number> = {};
const count = (name: string | number): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

function openSocket(url: URL, opened: (socket: Socket) => void): void {
  const socket = connect(Number(url.port), url.hostname, () => {
    count('opened');
    opened(socket);
  });
  socket.on('error', () => count('errors'));
  socket.on('close', () => count('closed'));
  socket.resume();
}

const FLOODS: Readonly<Record<FloodName, (url: URL) => void>> = {
  /** Sends endless headers, one line per second. */
  slowloris: (url) => {
    for (let number = 0; number < 1_000; number += 1) {
      openSocket(url, (socket) => {
        socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\n');
        const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 1_000);
        socket.once('close', () => clearInterval(drip));
      });
    }
  },
  'idle sockets': (url) => {
    for (let number = 0; number < 5_000; number += 1) openSocket(url, () => {});
  },
  /** Opens as many websockets as possible, each with as many subscriptions as possible. */
  subscriptions: (url) => {
    for (let number = 0; number < 300; number += 1) {
      const socket = new WebSocket(`ws://${url.host}/graphql`, 'graphql-transport-ws', {
        headers: ADDRESS,
      });
      socket.on('error', () => count('refused'));
      socket.on('open', () => {
        count('opened');
        socket.send('{"type":"connection_init"}');
      });
      socket.once('message', () => {
        let id = 0;
        const begin = setInterval(() => {
          id += 1;
          const query = `subscription { stockChanged { kind stock { id } a${id % 50}: at } }`;
          socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
          socket.send(JSON.stringify({ id: String(id), type: 'complete' }));
        }, 100);
        socket.on('close', () => clearInterval(begin));
      });
      socket.on('message', (data) => count(JSON.parse(String(data)).type));
      socket.on('close', (code) => count(`closed ${code}`));
    }
  },
  /** Sends expensive queries. */
  queries: (url) => {
    const query =
      '{ stocks(first: 100) { nodes { id name movements(first: 20) { nodes { delta } } } } }';
    sendRequests(url, () => ({ query, headers: {} }));
  },
  /** Sends well-formed tokens with invalid signatures, each different. */
  'bad tokens': (url) => {
    let number = 0;
    sendRequests(url, () => {
      number += 1;
      const [head, claims] = [{ alg: 'HS256' }, { sub: `x${number}`, exp: 4_000_000_000 }].map(
        (part) => Buffer.from(JSON.stringify(part)).toString('base64url'),
      );
      const authorization = `Bearer ${head}.${claims}.${'A'.repeat(43)}`;
      return { query: '{ __typename }', headers: { authorization } };
    });
  },
};

/** Sends 1,000 requests per second regardless of the responses. */
function sendRequests(
  url: URL,
  next: () => { query: string; headers: Readonly<Record<string, string>> },
): void {
  setInterval(() => {
    for (let number = 0; number < 20; number += 1) {
      const { query, headers } = next();
      fetch(`${url.origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...ADDRESS, ...headers },
        body: JSON.stringify({ query }),
      }).then(
        async (response) => {
          await response.text();
          count(response.status);
        },
        () => count('errors'),
      );
    }
  }, 20);
}

process.on('message', ({ begin, url }: Asked) => {
  if (begin !== undefined && url !== undefined) FLOODS[begin](new URL(url));
  process.send?.(counts);
});
process.send?.({});
