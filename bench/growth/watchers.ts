import WebSocket from 'ws';

/**
 * Number of subscriptions per connection. A gateway also sends many subscriptions over one
 * connection.
 */
const PER_CONNECTION = 500;
const SUBPROTOCOL = 'graphql-transport-ws';

export interface Watchers {
  readonly events: () => number;
  readonly close: () => void;
}

/** Starts subscriptions over websockets to the stock service, each to one stock. */
export async function startWatchers(
  url: string,
  ids: readonly string[],
  count: number,
): Promise<Watchers> {
  const sockets: WebSocket[] = [];
  let events = 0;
  for (let from = 0; from < count; from += PER_CONNECTION) {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, SUBPROTOCOL);
    sockets.push(socket);
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send('{"type":"connection_init"}'));
      socket.on('message', (data) => {
        const { type } = JSON.parse(String(data)) as { type: string };
        if (type === 'connection_ack') resolve();
        else if (type === 'ping') socket.send('{"type":"pong"}');
        else if (type === 'next') events += 1;
        else reject(new Error(`Unexpected message: ${data}`));
      });
    });
    for (let number = from; number < Math.min(count, from + PER_CONNECTION); number += 1) {
      const query = `subscription { stockChanged(ids: ["${ids[number % ids.length]}"]) { cursor } }`;
      socket.send(JSON.stringify({ id: String(number), type: 'subscribe', payload: { query } }));
    }
  }
  return {
    events: () => events,
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}
