import { createLogger } from '@gudang/runtime';
import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ScriptedSubgraph,
  type ScriptedSubscription,
  sendTo,
  startScriptedSubgraph,
} from '../../testing/scripted-subgraph.ts';
import { SubgraphLink } from './subgraph-link.ts';

const HEALTHY = Array.from({ length: 24 }, (_, index) => `healthy ${index}`);
const QUIET = Array.from({ length: 6 }, (_, index) => `quiet ${index}`);

let subgraph: ScriptedSubgraph;
let link: SubgraphLink;
/** Number of events that the subgraph has published to the healthy streams. */
let published = 0;
afterEach(async () => {
  await link.stop();
  await subgraph.stop();
  published = 0;
});

function sendEvents(subscription: ScriptedSubscription, from: number): void {
  for (let n = from; n <= published; n += 1) {
    sendTo(subscription, { type: 'next', payload: { data: { n } } });
  }
}

/** Publishes one event to each open subscription of the healthy streams. */
function publish(): void {
  published += 1;
  for (const query of HEALTHY) {
    for (const subscription of subgraph.open(query)) sendEvents(subscription, published);
  }
}

/** Starts a subgraph that replays to healthy streams, and calls `onCulprit` for the query `culprit`. */
async function start(
  onCulprit: (subscription: ScriptedSubscription) => void = () => {},
  ack?: object,
): Promise<void> {
  subgraph = await startScriptedSubgraph((subscription) => {
    const { query, variables } = subscription;
    if (query.startsWith('healthy')) sendEvents(subscription, Number(variables['after']) + 1);
    else if (query === 'culprit') onCulprit(subscription);
  }, ack);
  link = new SubgraphLink({
    name: 'items',
    wsUrl: subgraph.wsUrl,
    params: {},
    reconnectLimitMs: 60_000,
    log: createLogger('gateway', 'silent'),
    onUnused: () => {},
  });
}

function subscribe(query: string, { pad = '', next }: { pad?: string; next?: () => void } = {}) {
  const numbers: number[] = [];
  const errors: GraphQLFormattedError[] = [];
  const ended = vi.fn();
  const leave = link.subscribe(
    { query, variables: () => ({ after: numbers.at(-1) ?? 0, pad }) },
    {
      next: (event: FormattedExecutionResult) => {
        next?.();
        numbers.push(Number((event.data as { n: number } | undefined)?.n));
      },
      position: () => {},
      snapshot: () => {},
      error: (given) => {
        errors.push(...given);
        ended();
      },
      complete: ended,
    },
  );
  return { numbers, errors, ended, leave };
}

/** Opens the healthy streams, and waits until each has received an event. */
async function subscribeHealthy() {
  const healthy = HEALTHY.map((query) => subscribe(query));
  publish();
  await vi.waitFor(() => {
    for (const { numbers } of healthy) expect(numbers).toEqual([1]);
  });
  return healthy;
}

/** Publishes until the streams have received every event, each once and in order. */
async function expectAllEvents(healthy: readonly { numbers: number[] }[]): Promise<void> {
  for (let count = 0; count < 3; count += 1) publish();
  const all = Array.from({ length: published }, (_, index) => index + 1);
  await vi.waitFor(() => {
    for (const { numbers } of healthy) expect(numbers).toEqual(all);
  });
}

describe('a subgraph that closes the connection because of one operation', () => {
  it.each([
    [1002, 'invalid frame'],
    [1007, 'invalid UTF-8'],
    [1008, 'policy'],
    [1009, 'Max payload size exceeded'],
    [1011, ''],
    [4400, 'Invalid message received'],
    [4409, 'Subscriber already exists'],
    [4429, 'Too many'],
    [4500, 'boom'],
  ])(
    'disturbs no other stream, and only this operation receives the reason (%i %s)',
    async (code, reason) => {
      await start(({ socket }) => {
        // Half of the events are published while the link is closed.
        publish();
        socket.close(code, reason);
        publish();
      });
      const healthy = await subscribeHealthy();
      const quiet = QUIET.map((query) => subscribe(query));
      const culprit = subscribe('culprit');
      await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
      expect(culprit.errors).toEqual([
        {
          message: expect.stringContaining(`${code} ${reason}`.trim()),
          extensions: { code: 'WEBSOCKET_CLOSE_ERROR', closeCode: code, serviceName: 'items' },
        },
      ]);
      await expectAllEvents(healthy);
      await vi.waitFor(() => {
        const shared = subgraph.open(HEALTHY[0] ?? '')[0]?.socket;
        for (const query of QUIET) {
          expect(subgraph.open(query).map(({ socket }) => socket === shared)).toEqual([true]);
        }
      });
      for (const { ended } of [...healthy, ...quiet]) expect(ended).not.toHaveBeenCalled();
      expect(subgraph.count('culprit')).toBe(2);
      // Healthy streams are resubscribed once; quiet streams are also retried alone.
      for (const query of HEALTHY) expect(subgraph.count(query)).toBe(2);
      for (const query of QUIET) expect(subgraph.count(query)).toBe(3);
    },
  );

  it('finds an operation that makes the subgraph drop the connection without a close frame', async () => {
    await start(({ socket }) => socket.terminate());
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit');
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1), { timeout: 10_000 });
    expect(culprit.errors[0]?.extensions).toMatchObject({ closeCode: 1006 });
    await expectAllEvents(healthy);
    for (const query of HEALTHY) expect(subgraph.count(query)).toBeLessThanOrEqual(3);
  });

  it.each<[string, string | Buffer]>([
    ['text that is not JSON', 'nonsense'],
    ['JSON that is not an object', '[]'],
    ['a binary message', Buffer.from('{"type":"ping"}')],
  ])('is isolated when the subgraph answers it with %s', async (_what, answer) => {
    await start(({ socket }) => socket.send(answer));
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit');
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
    expect(culprit.errors[0]?.extensions).toMatchObject({ closeCode: 4004 });
    await expectAllEvents(healthy);
    for (const query of HEALTHY) expect(subgraph.count(query)).toBe(2);
  });

  it('reconnects as usual after a close that concerns no operation', async () => {
    await start(({ socket }) => {
      if (subgraph.count('culprit') === 1) socket.close(1001, 'Going away');
    });
    const healthy = await subscribeHealthy();
    const established = subscribe('culprit');
    await vi.waitFor(() => expect(subgraph.open('culprit')).toHaveLength(1));
    await expectAllEvents(healthy);
    expect(established.ended).not.toHaveBeenCalled();
    expect(subgraph.connections()).toBe(2);
  });
});

describe('a malformed message of a subgraph', () => {
  it.each<[string, object]>([
    ['an error that is an object', { type: 'error', payload: { message: 'no' } }],
    ['an empty list of errors', { type: 'error', payload: [] }],
    ['errors that are no objects', { type: 'error', payload: [null, 1, 'x'] }],
    ['an error without a payload', { type: 'error' }],
    ['an event that is a string', { type: 'next', payload: 'x' }],
    ['an event that is a list', { type: 'next', payload: [] }],
    ['an event without a payload', { type: 'next' }],
    ['a message of an unknown type', { type: 'data', payload: {} }],
    ['a message without a type', {}],
  ])('ends only its operation: %s', async (_what, message) => {
    await start((subscription) => sendTo(subscription, message));
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit');
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
    expect(culprit.errors).toHaveLength(1);
    expect(culprit.errors[0]).toMatchObject({ message: expect.any(String) });
    await expectAllEvents(healthy);
    expect(subgraph.connections()).toBe(1);
    for (const query of HEALTHY) expect(subgraph.count(query)).toBe(1);
  });

  it.each([
    { id: 'unknown', type: 'next', payload: {} },
    { id: 'unknown', type: 'error', payload: 'x' },
    { id: '__proto__', type: 'complete' },
    { id: 7, type: 'next', payload: {} },
    { type: 'ka' },
    { type: 'connection_ack' },
    { type: 'ping', payload: { cursors: { unknown: 'c1', __proto__: 1 } } },
  ])('is dropped if it names no operation: %j', async (message) => {
    await start(({ socket }) => socket.send(JSON.stringify(message)));
    const healthy = await subscribeHealthy();
    const other = subscribe('culprit');
    await vi.waitFor(() => expect(subgraph.count('culprit')).toBe(1));
    await expectAllEvents(healthy);
    expect(other.ended).not.toHaveBeenCalled();
    expect(subgraph.connections()).toBe(1);
  });
});

describe('the connection to a subgraph', () => {
  it("rejects an operation above the subgraph's limit of a message, and does not send it", async () => {
    await start(() => {}, { gudang: { messageBytes: 10_000 } });
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit', { pad: 'é'.repeat(5_000) });
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
    expect(culprit.errors[0]?.extensions).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      limit: 'message',
      max: 10_000,
    });
    await expectAllEvents(healthy);
    expect(subgraph.count('culprit')).toBe(0);
    expect(subgraph.connections()).toBe(1);
  });

  it("rejects an operation above the subgraph's unstated limit without disturbing other streams", async () => {
    await start();
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit', { pad: 'x'.repeat(70_000) });
    const large = subscribe('large', { pad: 'x'.repeat(40_000) });
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
    expect(culprit.errors[0]?.extensions).toMatchObject({ closeCode: 1009 });
    await expectAllEvents(healthy);
    for (const query of HEALTHY) expect(subgraph.count(query)).toBe(1);
    const shared = subgraph.open(HEALTHY[0] ?? '')[0]?.socket;
    await vi.waitFor(() =>
      expect(subgraph.open('large').map(({ socket }) => socket === shared)).toEqual([true]),
    );
    expect(large.ended).not.toHaveBeenCalled();
  });

  it('answers a ping without its payload, which may be above the limit of a message', async () => {
    const cursors = Object.fromEntries(HEALTHY.map((query) => [query, 'x'.repeat(10_000)]));
    await start(({ socket }) =>
      socket.send(JSON.stringify({ type: 'ping', payload: { cursors } })),
    );
    subscribe('culprit');
    await vi.waitFor(() => expect(subgraph.others).toEqual([{ type: 'pong' }]));
  });

  it('ends only the stream whose event causes an exception', async () => {
    await start((subscription) =>
      sendTo(subscription, { type: 'next', payload: { data: { n: 1 } } }),
    );
    const healthy = await subscribeHealthy();
    const culprit = subscribe('culprit', {
      next: () => {
        throw new Error('a defect');
      },
    });
    await vi.waitFor(() => expect(culprit.ended).toHaveBeenCalledTimes(1));
    await expectAllEvents(healthy);
    await vi.waitFor(() => expect(subgraph.open('culprit')).toEqual([]));
    expect(subgraph.connections()).toBe(1);
  });

  it('delivers nothing after the link has stopped', async () => {
    await start();
    const healthy = await subscribeHealthy();
    publish();
    await link.stop();
    await vi.waitFor(() => expect(subgraph.open(HEALTHY[0] ?? '')).toEqual([]));
    for (const { numbers, ended } of healthy) {
      expect(numbers).toEqual([1]);
      expect(ended).not.toHaveBeenCalled();
    }
  });
});
