import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Stoppable } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import type { FormattedExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { startGateway } from '../gateway.ts';
import { gatewaySettings } from '../settings.ts';

/**
 * Starts a gateway for a supergraph's SDL as in production, but in this process and on a free port.
 */
export async function startTestGateway(sdl: string, environment: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  const file = join(folder, 'supergraph.graphql');
  await writeFile(file, sdl);
  const parts: Stoppable[] = [];
  const stop = async (): Promise<void> => {
    for (const part of parts.reverse()) await part.stop();
    await rm(folder, { recursive: true });
  };
  const { url } = await startGateway({
    settings: readSettings(gatewaySettings, { PORT: '0', SUPERGRAPH: file, ...environment }),
    log: createLogger('gateway', 'silent'),
    started: (_part, running) => {
      parts.push(running);
      return running;
    },
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  const wsUrl = `${url.replace('http', 'ws')}/graphql`;
  const clients: Client[] = [];
  const closeClients = async (): Promise<void> => {
    await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
  };
  return {
    url,
    wsUrl,
    post: async (body: object, headers: Record<string, string> = {}) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return { status: response.status, ...((await response.json()) as FormattedExecutionResult) };
    },
    client: (): Client => {
      const client = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
      clients.push(client);
      return client;
    },
    /** Returns the first series of a metric. @param labels text that its labels contain */
    metric: async (name: string, labels = ''): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      const lines = text.split('\n').filter((one) => one.startsWith(`${name}{`));
      const line = lines.find((one) => one.includes(labels));
      return Number(line?.split(' ').at(-1));
    },
    /** Replaces the supergraph's file. */
    change: async (changed: string): Promise<void> => {
      await writeFile(`${file}.new`, changed);
      await rename(`${file}.new`, file);
    },
    /** Closes all clients that `client` has created. */
    closeClients,
    stop: async () => {
      await closeClients();
      await stop();
    },
  };
}

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;
