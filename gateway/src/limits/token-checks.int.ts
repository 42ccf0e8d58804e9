import { once } from 'node:events';
import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

const LIMIT = 5;

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;
let forged: string;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    ...TOKEN_SETTINGS,
    SUBGRAPH_SECRET: 'between the gateway and the toys',
    // The tests act as a trusted proxy, and name each client in `X-Forwarded-For`.
    TRUSTED_PROXIES: 'loopback',
    LIMIT_BAD_TOKENS: String(LIMIT),
  });
  forged = await signToken({ sub: 'Siti' }, { key: Buffer.from('x'.repeat(32)) });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

let addresses = 0;
const freshAddress = (): string => {
  addresses += 1;
  return `192.0.2.${addresses}`;
};
const ask = (address: string, token: string) =>
  gateway.post(
    { query: '{ __typename }' },
    { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
  );
/** Sends invalid tokens at the same time, so that all of them arrive within one second. */
const flood = (address: string) =>
  Promise.all(Array.from({ length: LIMIT * 3 }, () => ask(address, forged)));
const statuses = (answers: readonly { status: number }[]) =>
  answers.map(({ status }) => status).sort();

async function closeCode(address: string, token: string): Promise<number> {
  const socket = new WebSocket(gateway.wsUrl, 'graphql-transport-ws', {
    headers: { 'x-forwarded-for': address },
  });
  await once(socket, 'open');
  const closed = once(socket, 'close');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: token } }));
  const acknowledged = once(socket, 'message').then(() => [0]);
  const [code] = await Promise.race([closed, acknowledged]);
  socket.terminate();
  return code as number;
}

/** Poll options that repeat the flood if a busy machine needs more than a second for it. */
const withinASecond = { timeout: 20_000, interval: 1 };

describe('invalid tokens of one address', () => {
  it('are verified up to the limit', async () => {
    await expect
      .poll(async () => statuses(await flood(freshAddress())), withinASecond)
      .toEqual([...Array(LIMIT).fill(401), ...Array(LIMIT * 2).fill(429)]);
    expect(await gateway.metric('gateway_unchecked_tokens_total')).toBeGreaterThanOrEqual(
      LIMIT * 2,
    );
  });

  it('get an error that names the limit', async () => {
    await expect
      .poll(
        async () => (await flood(freshAddress())).find(({ status }) => status === 429),
        withinASecond,
      )
      .toMatchObject({
        errors: [
          {
            message: 'More than 5 invalid tokens per second from this address: try again later',
            extensions: { code: 'RATE_LIMITED', retryable: true, max: LIMIT },
          },
        ],
      });
  });

  it('do not affect tokens that have already been verified', async () => {
    const known = await signToken({ sub: 'Siti' });
    expect((await ask(freshAddress(), known)).status).toBe(200);
    const afterFlood = async () => {
      const address = freshAddress();
      const unknown = await signToken({ sub: `Siti of ${address}` });
      await flood(address);
      const answers = [
        ...(await Promise.all([ask(address, known), ask(address, unknown)])),
        await ask(freshAddress(), unknown),
      ];
      return answers.map(({ status }) => status);
    };
    await expect.poll(afterFlood, withinASecond).toEqual([200, 429, 200]);
  });

  it('close websockets with a code after which clients reconnect', async () => {
    const afterFlood = async () => {
      const address = freshAddress();
      await flood(address);
      return closeCode(address, forged);
    };
    await expect.poll(afterFlood, withinASecond).toBe(1013);
    expect(await closeCode(freshAddress(), forged)).toBe(4403);
  });
});

it('does not rate-limit valid tokens', async () => {
  const address = freshAddress();
  const tokens = await Promise.all(
    Array.from({ length: LIMIT * 2 }, (_, index) => signToken({ sub: `Budi ${index}` })),
  );
  for (const token of tokens) expect((await ask(address, token)).status).toBe(200);
});
