import WebSocket from 'ws';

/** Subscriptions that share a connection, as a gateway's do. */
const A_CONNECTION = 500;
const SUBPROTOCOL = 'graphql-transport-ws';

export interface Watchers {
  readonly events: () => number;
  readonly close: () => void;
}

/** So many subscriptions to changes of one stock each, over real websockets of the stock service. */
export async function startWatchers(
  url: string,
  ids: readonly string[],
  count: number,
): Promise<Watchers> {
  const sockets: WebSocket[] = [];
  let events = 0;
  for (let from = 0; from < count; from += A_CONNECTION) {
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
        else reject(new Error(`A watcher got: ${data}`));
      });
    });
    for (let number = from; number < Math.min(count, from + A_CONNECTION); number += 1) {
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
