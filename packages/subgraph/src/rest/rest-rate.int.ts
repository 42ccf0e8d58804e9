import { ANONYMOUS_PRINCIPAL, type Authentication } from '@gudang/auth';
import {
  createHealth,
  createHttpServer,
  createLogger,
  createMetrics,
  ServiceError,
} from '@gudang/runtime';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { createRestRate } from './rest-rate.ts';
import { serveRest } from './serve-rest.ts';

const MOST = 3;

let app: FastifyInstance;
let checks = 0;
afterEach(() => app.close());

/** Accepts the token `valid of <subject>`, without a cache of tokens. */
const auth: Authentication = {
  on: true,
  authenticate: (authorization, around = (check) => check()) =>
    authorization === undefined
      ? ANONYMOUS_PRINCIPAL
      : around(async () => {
          checks += 1;
          const subject = /^valid of (.*)$/.exec(authorization)?.[1];
          if (!subject) throw new ServiceError('UNAUTHENTICATED', 'The token is invalid');
          return { identity: { subject, scopes: [] }, expiresAt: Number.POSITIVE_INFINITY };
        }),
};

async function start(trusted: readonly string[]): Promise<void> {
  const metrics = createMetrics('rest-rate');
  const log = createLogger('rest-rate', 'silent');
  app = createHttpServer({ health: createHealth(), metrics });
  checks = 0;
  const restRate = createRestRate({ LIMIT_REQUESTS: MOST, TRUSTED_PROXIES: [...trusted] }, metrics);
  const service = { app, auth, log, restRate, isOutage: () => false };
  await serveRest(service, { prefix: '/thing', names: {} }, (rest) => {
    rest.get('/', () => ({ Message: 'ok' }));
  });
}

interface Sender {
  readonly from?: string;
  readonly forwarded?: string;
  readonly token?: string;
}

/** Sends requests within one second of the limit. @returns their statuses */
async function send(count: number, { from = '10.0.0.9', forwarded, token }: Sender = {}) {
  const headers = {
    ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }),
    ...(token === undefined ? {} : { authorization: token }),
  };
  const requests = Array.from({ length: count }, () =>
    app.inject({ url: '/thing', headers, remoteAddress: from }),
  );
  return Promise.all(requests);
}
const statuses = (responses: Awaited<ReturnType<typeof send>>): number[] =>
  responses.map(({ statusCode }) => statusCode);

describe('the rate limit of the REST API', () => {
  it('rejects the requests of an address above the limit', async () => {
    await start([]);
    const responses = await send(MOST + 1);
    expect(statuses(responses)).toEqual([200, 200, 200, 429]);
    const last = responses.at(-1);
    expect(last?.headers['retry-after']).toBe('1');
    expect(last?.json()).toEqual({
      Message: 'Terlalu Banyak Permintaan',
      Error: 'More than 3 requests per second: send fewer',
    });
    const { body } = await app.inject('/metrics');
    expect(body).toMatch(/^gudang_rest_rate_limited_total\{.*\} 1$/m);
  });

  it('counts the clients of a trusted proxy separately', async () => {
    await start(['10.0.0.0/8']);
    expect(statuses(await send(MOST, { forwarded: '198.51.100.1' }))).not.toContain(429);
    expect(statuses(await send(MOST, { forwarded: '198.51.100.2' }))).not.toContain(429);
    expect(statuses(await send(1, { forwarded: '198.51.100.1' }))).toEqual([429]);
  });

  it('ignores X-Forwarded-For of a client', async () => {
    await start(['10.0.0.0/8']);
    const from = '198.51.100.1';
    await send(MOST, { from, forwarded: '203.0.113.1' });
    expect(statuses(await send(1, { from, forwarded: '203.0.113.2' }))).toEqual([429]);
  });

  it('counts principals, not their addresses', async () => {
    await start([]);
    expect(statuses(await send(MOST, { token: 'valid of Siti' }))).toEqual([200, 200, 200]);
    expect(statuses(await send(MOST, { token: 'valid of Budi' }))).toEqual([200, 200, 200]);
    const elsewhere = { from: '10.0.0.10', token: 'valid of Siti' };
    expect(statuses(await send(1, elsewhere))).toEqual([429]);
  });

  it('rejects tokens unchecked from an address that sent too many invalid ones', async () => {
    await start([]);
    expect(statuses(await send(MOST, { token: 'invalid' }))).toEqual([401, 401, 401]);
    expect(statuses(await send(1, { token: 'invalid' }))).toEqual([429]);
    expect(checks).toBe(MOST);
  });

  it('does not limit loopback addresses', async () => {
    await start([]);
    expect(statuses(await send(10 * MOST, { from: '127.0.0.1' }))).not.toContain(429);
  });
});
