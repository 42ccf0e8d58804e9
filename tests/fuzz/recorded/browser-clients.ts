import { startBrowser } from '@gudang/testing/chromium';
import type { OperationKind } from '../requests/generate-operation.ts';
import { operationOf, type RealClient, VARIABLES } from './real-clients.ts';

/** Runs in the page. */
type InPage = (given: { query: string; variables: string; socketUrl: string }) => Promise<unknown>;

const sendFetch: InPage = async ({ query, variables }) => {
  const body = JSON.stringify({ query, variables: JSON.parse(variables) });
  const headers = { 'content-type': 'application/json' };
  return (await fetch('/graphql', { method: 'POST', headers, body })).text();
};

const openEventSource: InPage = ({ query, variables }) => {
  const source = new EventSource(`/graphql?${new URLSearchParams({ query, variables })}`);
  return new Promise((resolve) => {
    source.addEventListener('next', () => {
      source.close();
      resolve(undefined);
    });
  });
};

const openWebSocket: InPage = ({ query, variables, socketUrl }) => {
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
  socket.onopen = () => socket.send('{"type":"connection_init"}');
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      const { type } = JSON.parse(data);
      const payload = { query, variables: JSON.parse(variables) };
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      }
      if (type === 'complete') resolve(undefined);
    };
  });
};

/** Starts Chromium, and returns its ways to send requests. */
export async function startBrowserClients() {
  const browser = await startBrowser();
  const client = (name: string, kinds: readonly OperationKind[], inPage: InPage): RealClient => ({
    name: `Chromium: ${name}`,
    kinds,
    send: async (url, kind) => {
      const { page, close } = await browser.open();
      await page.goto(new URL('/page', url).href);
      await page.evaluate(inPage, {
        query: operationOf(kind),
        variables: JSON.stringify(VARIABLES),
        socketUrl: url.replace('http', 'ws'),
      });
      await close();
    },
  });
  return {
    clients: [
      client('fetch', ['query', 'mutation'], sendFetch),
      client('EventSource', ['query', 'subscription'], openEventSource),
      client('WebSocket', ['query', 'mutation', 'subscription'], openWebSocket),
    ],
    stop: () => browser.close(),
  };
}
