import { signToken, TOKEN_SETTINGS } from '@gudang/auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../testing/protocol-clients.ts';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url), {
    ...TOKEN_SETTINGS,
    SUBGRAPH_SECRET: 'between the gateway and the toys',
    LIMIT_REQUESTS: '1000000',
  });
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

const planned = async (): Promise<number> => {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(/^gateway_planning_seconds_total(?:\{.*\})? (\S+)$/m.exec(text)?.[1]);
};
/** Returns an operation whose text the gateway has not seen. */
let count = 0;
const unseen = (lists = 20): string => {
  count += 1;
  return `{ ${Array.from({ length: lists }, (_, n) => `a${n}_${count}: items { id rating }`).join(' ')} }`;
};

describe('planning', () => {
  it('is measured once for each operation', async () => {
    const query = unseen();
    const before = await planned();
    await gateway.post({ query });
    const after = await planned();
    expect(after).toBeGreaterThan(before);
    await gateway.post({ query });
    expect(await planned()).toBe(after);
  });

  it('includes parsing, also of operations above a limit', async () => {
    const before = await planned();
    const { status } = await gateway.post({ query: `{ ${'hello '.repeat(1_900)} }` });
    expect(status).toBe(400);
    expect(await planned()).toBeGreaterThan(before);
  });

  it.each(PROTOCOLS)('is measured for streams over %s', async (_protocol, open) => {
    count += 1;
    const before = await planned();
    const stream = open(gateway.url, {
      query: `subscription { none${count}: refused(code: "X") }`,
    });
    expect(await stream.take()).toMatchObject({ errors: [{ message: 'not to be had' }] });
    stream.leave();
    expect(await planned()).toBeGreaterThan(before);
  });

  it('uses up the rate limit of its caller, and of no other caller', async () => {
    const callers = ['Siti', 'Budi'];
    const [siti, budi] = await Promise.all(
      callers.map(async (sub) => ({ authorization: `Bearer ${await signToken({ sub })}` })),
    );
    // Without the charge, Siti could send a million operations per second. They are sent together, because on a
    // busy machine the gateway spends too small a part of each second on planning otherwise.
    const plan = async (): Promise<number> =>
      (await gateway.post({ query: unseen(45) }, siti)).status;
    const statuses = new Set<number>();
    for (let round = 0; !statuses.has(429) && round < 20; round += 1) {
      for (const status of await Promise.all(Array.from({ length: 20 }, plan))) {
        statuses.add(status);
      }
    }
    expect(statuses).toContain(429);
    expect((await gateway.post({ query: '{ __typename }' }, budi)).status).toBe(200);
  }, 60_000);
});
