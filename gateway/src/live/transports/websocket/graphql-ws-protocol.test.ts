import { ANONYMOUS_PRINCIPAL } from '@gudang/auth';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestAdmission } from '../../../testing/test-admission.ts';
import { createTestBudget } from '../../../testing/test-budget.ts';
import type { ClientSink } from '../../fanout/stream-client.ts';
import { createPayload } from '../../upstream/live-payload.ts';
import { GraphqlWsConnection } from './graphql-ws-protocol.ts';
import { createSocketSession } from './socket-session.ts';
import { createFramers } from './websocket-frames.ts';

const ADMISSION = createTestAdmission();

/** Occupies the event loop. */
function planningTakes(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

/** @param released when the rate limit lets operations start; undefined: at once */
function connect({
  released,
  onPlan = () => {},
  isMetered = false,
}: {
  released?: Promise<void>;
  /** Called when a subscription is planned. */
  onPlan?: () => void;
  /** Whether the caller has many streams. */
  isMetered?: boolean;
} = {}) {
  const sent: unknown[] = [];
  const closed: number[] = [];
  const subscribers: ClientSink[] = [];
  const left = vi.fn();
  const connection = new GraphqlWsConnection({
    memory: createTestBudget(),
    socket: {
      countIn: () => {},
      send: (message) => void sent.push(JSON.parse(message)),
      // Frames with a payload of less than 126 bytes have a header of two bytes.
      writeFrames: (frames) => void sent.push(JSON.parse(String(frames.subarray(2)))),
      ready: () => true,
      unread: () => 0,
      pause: () => {},
      resume: () => {},
      close: (code) => void closed.push(code),
    },
    session: createSocketSession(
      { on: false, authenticate: () => ANONYMOUS_PRINCIPAL },
      undefined,
      () => {},
    ),
    contextOf: (identity) => ({ forward: {}, identity }),
    framers: createFramers(),
    admission: ADMISSION,
    assertNotOverloaded: () => {},
    planning: { charged: (_caller, work) => work() },
    rate: { take: () => released, charge: () => {} },
    address: '127.0.0.1',
    maxOperations: 100,
    messageBytes: 65_536,
    pauseLimitMs: 30_000,
    onDefect: (error) => {
      throw error;
    },
    requests: {
      answer: async ({ query }) => ({
        status: 200,
        headers: [],
        body: query === '{ bad }' ? '{"errors":[{"message":"no"}]}' : '{"data":{"ok":1}}',
      }),
    },
    live: {
      isMetered: () => isMetered,
      subscribe: (_request, sink) => {
        subscribers.push(sink);
        onPlan();
        return { leave: left, resume: () => {} };
      },
    },
    present: (errors) => errors.map(({ message }) => ({ message })),
    initWithinMs: 1000,
  });
  const say = (message: object | string): void =>
    connection.onMessage(typeof message === 'string' ? message : JSON.stringify(message));
  return { connection, say, sent, closed, subscribers, left };
}

const subscribe = (id: string, query = 'subscription { x }') => ({
  id,
  type: 'subscribe',
  payload: { query },
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return () => vi.useRealTimers();
});

describe('a connection of graphql-transport-ws', () => {
  it.each([
    ['text that is not JSON', ['nonsense'], 4400],
    ['a message of an unknown type', [{ type: 'start' }], 4400],
    ["a server's message", [{ type: 'connection_init' }, { type: 'connection_ack' }], 4400],
    ['an operation before the connection is acknowledged', [subscribe('1')], 4401],
    ['a second initialisation', [{ type: 'connection_init' }, { type: 'connection_init' }], 4429],
    ['an id in use', [{ type: 'connection_init' }, subscribe('1'), subscribe('1')], 4409],
  ])('closes on %s', (_what, messages, code) => {
    const { connection, say, closed } = connect();
    for (const message of messages) say(message);
    expect(closed).toEqual([code]);
    void connection.onClosed();
  });

  it('closes if connection_init does not arrive, and leaves no timer if it was closed earlier', () => {
    const silent = connect();
    vi.advanceTimersByTime(1000);
    expect(silent.closed).toEqual([4408]);
    const gone = connect();
    void gone.connection.onClosed();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('answers a ping with a pong of the same payload', () => {
    const { say, sent } = connect();
    say({ type: 'ping', payload: { at: 1 } });
    say({ type: 'ping' });
    expect(sent).toEqual([{ type: 'pong', payload: { at: 1 } }, { type: 'pong' }]);
  });

  it('never repeats a token in a pong', () => {
    const { say, sent } = connect();
    const token = `Bearer ${'x'.repeat(100)}`;
    const payload = { Authorization: 'short', other: token, nested: { authorization: 'y' }, at: 1 };
    say({ type: 'ping', payload });
    say(`{"type":"ping","payload":{"__proto__":"z","list":["${token}"]}}`);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [index, 'text']));
    say({ type: 'ping', payload: many });
    expect(sent.map((pong) => JSON.stringify(pong))).toEqual([
      '{"type":"pong","payload":{"at":1}}',
      '{"type":"pong","payload":{"__proto__":"z"}}',
      '{"type":"pong"}',
    ]);
  });

  it('escapes the operation id in its messages', () => {
    const { say, sent, subscribers } = connect();
    say({ type: 'connection_init' });
    say(subscribe('a"b'));
    const marks = { cursor: undefined, key: undefined };
    subscribers[0]?.write([createPayload({ data: { x: 1 } }, marks, { seq: 1 })]);
    subscribers[0]?.complete();
    expect(sent.slice(1)).toEqual([
      { id: 'a"b', type: 'next', payload: { data: { x: 1 } } },
      { id: 'a"b', type: 'complete' },
    ]);
  });

  it('leaves each stream only once, on complete or on close, and sends nothing afterwards', () => {
    const { connection, say, sent, subscribers, left } = connect();
    say({ type: 'connection_init' });
    say(subscribe('1'));
    say(subscribe('2'));
    say({ id: '1', type: 'complete' });
    expect(left).toHaveBeenCalledTimes(1);
    subscribers[0]?.error([{ message: 'late' }]);
    void connection.onClosed();
    void connection.onClosed();
    expect(left).toHaveBeenCalledTimes(2);
    expect(sent).toHaveLength(1);
  });

  it('leaves many streams in turns', async () => {
    const { connection, say, left } = connect();
    say({ type: 'connection_init' });
    for (let id = 0; id < 100; id += 1) say(subscribe(String(id)));
    const closed = connection.onClosed();
    const atOnce = left.mock.calls.length;
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(50);
    await closed;
    expect(left).toHaveBeenCalledTimes(100);
  });

  it('accepts an id again after its operation has ended', () => {
    const { say, closed, subscribers } = connect();
    say({ type: 'connection_init' });
    say(subscribe('1'));
    subscribers[0]?.error([{ message: 'over' }]);
    say(subscribe('1'));
    expect(closed).toEqual([]);
    expect(subscribers).toHaveLength(2);
  });

  it('runs queries and sends request errors as error messages', async () => {
    const { say, sent } = connect();
    say({ type: 'connection_init' });
    say(subscribe('1', '{ ok }'));
    say(subscribe('2', '{ bad }'));
    say(subscribe('3', '{ open'));
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toContainEqual({ id: '1', type: 'next', payload: { data: { ok: 1 } } });
    expect(sent).toContainEqual({ id: '1', type: 'complete' });
    expect(sent).toContainEqual({ id: '2', type: 'error', payload: [{ message: 'no' }] });
    expect(sent).toContainEqual({
      id: '3',
      type: 'error',
      payload: [{ message: expect.stringContaining('Syntax Error') }],
    });
  });
});

describe('operations that the rate limit releases at the same time', () => {
  it('let other work of the process run in between', async () => {
    vi.useRealTimers();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sockets = Array.from({ length: 40 }, () =>
      connect({ released, onPlan: () => planningTakes(2) }),
    );
    for (const { say } of sockets) {
      say({ type: 'connection_init' });
      say(subscribe('1'));
    }
    release();
    let iterations = 0;
    while (sockets.some(({ subscribers }) => subscribers.length === 0)) {
      await new Promise((resolve) => setImmediate(resolve));
      iterations += 1;
    }
    expect(iterations).toBeGreaterThan(20);
  });

  it('start with pauses if their caller has many streams', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    const iterate = async (): Promise<void> => {
      for (let n = 0; n < 30; n += 1) await new Promise((resolve) => setImmediate(resolve));
    };
    const released = Promise.resolve();
    const [many, few] = [true, false].map((isMetered) =>
      Array.from({ length: 6 }, () =>
        connect({ released, isMetered, onPlan: () => void vi.advanceTimersByTime(2) }),
      ),
    ) as [ReturnType<typeof connect>[], ReturnType<typeof connect>[]];
    for (const { say } of [...many, ...few]) {
      say({ type: 'connection_init' });
      say(subscribe('1'));
    }
    const started = (all: typeof few): number =>
      all.filter(({ subscribers }) => subscribers.length > 0).length;
    await iterate();
    expect(started(few)).toBe(6);
    const counts = [started(many)];
    while (started(many) < 6) {
      vi.advanceTimersByTime(1);
      await iterate();
      counts.push(started(many));
    }
    // Each start takes 2 ms, and the pause after it 6 ms.
    const steps = [...new Set(counts)].slice(-4);
    expect(steps).toEqual([3, 4, 5, 6]);
    for (const step of [3, 4, 5]) {
      expect(counts.filter((count) => count === step).length).toBeGreaterThan(3);
    }
  });
});
