import { ANONYMOUS_PRINCIPAL } from '@gudang/auth';
import { createHealth, createHttpServer, createLogger, createMetrics } from '@gudang/runtime';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import { createLiveMetrics } from '../live/fanout/live-metrics.ts';
import { startWebsockets } from '../live/transports/websocket/websockets.ts';
import type { RequestDeduplication } from '../request-pipeline/request-deduplication.ts';
import { createTestAdmission, DEFAULT_CLIENT_LIMITS } from './test-admission.ts';

/** The answer to each query. */
export const ANSWER = { status: 200, headers: [], body: '{"data":{}}' };

export interface WebsocketRigOptions {
  pingEveryMs?: number;
  idleMs?: number;
  pauseLimitMs?: number;
  requests?: RequestDeduplication;
  present?: () => never;
}

/** Serves websockets on a free port; their streams never send an event. */
export async function startWebsocketRig({
  idleMs = 600_000,
  ...options
}: WebsocketRigOptions = {}) {
  const health = createHealth();
  const app = createHttpServer({ health, metrics: createMetrics('test') });
  const left = vi.fn();
  const websockets = startWebsockets({
    app,
    health,
    headers: { read: undefined },
    auth: { on: false, authenticate: () => ANONYMOUS_PRINCIPAL },
    origins: { allows: () => true },
    metrics: createLiveMetrics(createMetrics('test'), () => 0),
    log: createLogger('gateway', 'silent'),
    admission: createTestAdmission(),
    ...DEFAULT_CLIENT_LIMITS,
    assertNotOverloaded: () => {},
    limits: { ...DEFAULT_CLIENT_LIMITS.websocket, operations: 10_000, idleMs },
    requests: { answer: async () => ANSWER },
    live: {
      isMetered: () => false,
      subscribe: () => ({ leave: left, resume: () => {} }),
    },
    present: () => [],
    ...options,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= websockets.stop().then(() => app.close());
    return stopped;
  };
  const open = (path = '/graphql', protocol = 'graphql-transport-ws', silent = false) =>
    new WebSocket(`${url.replace('http', 'ws')}${path}`, protocol ? [protocol] : [], {
      autoPong: !silent,
    });
  return { url, open, left, stop };
}
