import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A `subscribe` message that a scripted subgraph has received. */
export interface ScriptedSubscription {
  readonly socket: WebSocket;
  readonly id: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly extensions: unknown;
}

export interface ScriptedSubgraph {
  readonly wsUrl: string;
  /** Every subscription that the subgraph has received, oldest first. */
  readonly subscriptions: ScriptedSubscription[];
  /** Messages of other types, oldest first. */
  readonly others: Record<string, unknown>[];
  /** Number of connections that the subgraph has accepted. */
  readonly connections: () => number;
  /** Subscriptions of a query whose connection is open and which have not been completed. */
  readonly open: (query: string) => ScriptedSubscription[];
  readonly count: (query: string) => number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a subgraph that speaks graphql-transport-ws and does what the test decides at each
 * subscription. It closes connections with 1009 after a message above 64 KiB.
 * @param ack the payload of `connection_ack`
 */
export async function startScriptedSubgraph(
  script: (subscription: ScriptedSubscription) => void,
  ack?: object,
): Promise<ScriptedSubgraph> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 64 * 1024 });
  await once(server, 'listening');
  const subscriptions: ScriptedSubscription[] = [];
  const others: Record<string, unknown>[] = [];
  const completed = new Set<ScriptedSubscription>();
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'connection_init') {
        socket.send(JSON.stringify({ type: 'connection_ack', payload: ack }));
      } else if (message.type === 'ping') socket.send('{"type":"pong"}');
      else if (message.type === 'subscribe') {
        const { query, variables, extensions } = message.payload;
        const subscription = { socket, id: message.id, query, variables, extensions };
        subscriptions.push(subscription);
        script(subscription);
      } else others.push(message);
      if (message.type === 'complete') {
        for (const one of subscriptions) {
          if (one.socket === socket && one.id === message.id) completed.add(one);
        }
      }
    });
  });
  return {
    wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subscriptions,
    others,
    connections: () => connections,
    open: (query) =>
      subscriptions.filter(
        (one) =>
          one.query === query && one.socket.readyState === one.socket.OPEN && !completed.has(one),
      ),
    count: (query) => subscriptions.filter((one) => one.query === query).length,
    stop: async () => {
      for (const socket of server.clients) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends a message with a subscription's id. */
export function sendTo({ socket, id }: ScriptedSubscription, message: object): void {
  socket.send(JSON.stringify({ id, ...message }));
}
