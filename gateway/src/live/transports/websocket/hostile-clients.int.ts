import { setImmediate as turn } from 'node:timers/promises';
import { openRawWebsocket, type RawWebsocket, RESET_STAGES } from '@gudang/runtime/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startWebsocketRig, type WebsocketRigOptions } from '../../../testing/websocket-rig.ts';

const INIT = '{"type":"connection_init"}';
const subscribe = (id: string, query: string): string =>
  JSON.stringify({ id, type: 'subscribe', payload: { query } });

const uncaught = vi.fn();
let rig: Awaited<ReturnType<typeof startWebsocketRig>>;
const open: RawWebsocket[] = [];
beforeEach(() => {
  uncaught.mockClear();
  process.on('unhandledRejection', uncaught);
  process.on('uncaughtException', uncaught);
});
afterEach(async () => {
  for (const { socket } of open.splice(0)) socket.destroy();
  await rig.stop();
  await turn();
  process.off('unhandledRejection', uncaught);
  process.off('uncaughtException', uncaught);
  expect(uncaught).not.toHaveBeenCalled();
});

/** Opens a connection that the gateway has acknowledged. */
async function connected(): Promise<RawWebsocket> {
  const client = await openRawWebsocket(rig.url);
  open.push(client);
  client.send(INIT);
  await vi.waitFor(() => expect(client.messages()).toEqual([{ type: 'connection_ack' }]));
  return client;
}

/** Starts a gateway whose queries and mutations are answered only when the test releases them. */
async function holdQueries(options: WebsocketRigOptions = {}) {
  const asked: string[] = [];
  const left: string[] = [];
  const releases: (() => void)[] = [];
  rig = await startWebsocketRig({
    requests: {
      answer: async ({ query }, _context, onLeave) => {
        asked.push(query);
        onLeave?.(() => void left.push(query));
        await new Promise<void>((resolve) => releases.push(resolve));
        return { status: 200, headers: [], body: '{"data":{}}' };
      },
    },
    ...options,
  });
  return {
    asked,
    left,
    release: () => {
      for (const release of releases.splice(0)) release();
    },
  };
}

const ping = async (client: RawWebsocket): Promise<void> => {
  const pongs = () => client.messages().filter(({ type }) => type === 'pong').length;
  const before = pongs();
  client.send('{"type":"ping"}');
  await vi.waitFor(() => expect(pongs()).toBe(before + 1));
};
const query = (number: number): string => `{ q${number}: __typename }`;

describe('a websocket with more queries than may run at the same time', () => {
  it('answers pings and handles complete while operations wait', async () => {
    const { asked, left, release } = await holdQueries();
    const client = await connected();
    for (let id = 0; id < 40; id += 1) client.send(subscribe(`${id}`, query(id)));
    await ping(client);
    expect(asked).toHaveLength(32);
    client.send('{"id":"35","type":"complete"}');
    client.send('{"id":"3","type":"complete"}');
    await ping(client);
    expect(left).toEqual([query(3)]);
    release();
    await vi.waitFor(() => expect(asked).toHaveLength(39));
    release();
    await vi.waitFor(() =>
      expect(client.messages().filter(({ type }) => type === 'complete')).toHaveLength(38),
    );
    expect(asked).not.toContain(query(35));
  });

  it('stops reading when too many messages wait, and closes a client for which this does not change', async () => {
    const { asked } = await holdQueries({ pauseLimitMs: 300 });
    const [client, other] = [await connected(), await connected()];
    const padded = (id: number): string => `${query(id)} # ${'x'.repeat(30_000)}`;
    for (let id = 0; id < 100; id += 1) client.send(subscribe(`${id}`, padded(id)));
    await vi.waitFor(() => expect(client.closeCode()).toBe(4480));
    expect(asked).toHaveLength(32);
    await ping(other);
  });
});

describe('a websocket after the close frame of the gateway', () => {
  it('handles no message, and is destroyed after 2 s', async () => {
    const { asked, left } = await holdQueries();
    const client = await connected();
    client.send(subscribe('1', '{ best { id } }'));
    client.send(subscribe('1', '{ best { id } }'));
    client.send(subscribe('2', 'mutation { rename(input: {id: "1", name: "x"}) { id } }'));
    await vi.waitFor(() => expect(client.closeCode()).toBe(4409));
    await vi.waitFor(
      () => {
        client.send(subscribe('3', 'mutation { rename(input: {id: "1", name: "x"}) { id } }'));
        expect(client.isClosed()).toBe(true);
      },
      { timeout: 5_000 },
    );
    expect(asked).toEqual(['{ best { id } }']);
    expect(left).toEqual(asked);
  });

  it("reads the client's close frame, even if it did not read from the client before", async () => {
    await holdQueries({ pauseLimitMs: 300 });
    const client = await connected();
    const text = subscribe('x', `${query(1)} # ${'x'.repeat(30_000)}`);
    for (let id = 0; id < 100; id += 1) client.send(text.replace('"x"', `"${id}"`));
    await vi.waitFor(() => expect(client.closeCode()).toBe(4480));
    const ended = new Promise((resolve) => client.socket.once('end', resolve));
    client.send(Buffer.from([0x11, 0x80]), 8);
    // Without its close frame, the client's connection would end only after 2 s.
    const from = performance.now();
    await ended;
    expect(performance.now() - from).toBeLessThan(1_500);
  });
});

describe('a hostile client', () => {
  it.each<[string, string | Buffer, number, number]>([
    ['text that is not JSON', '{', 1, 4400],
    ['an id that is not a string', '{"id":1,"type":"complete"}', 1, 4400],
    [
      'a query that is not a string',
      '{"id":"1","type":"subscribe","payload":{"query":1}}',
      1,
      4400,
    ],
    ['an id of 257 characters', subscribe('x'.repeat(257), '{ x }'), 1, 4400],
    ['a second connection_init', INIT, 1, 4429],
    ['a binary message', INIT, 2, 1003],
    ['text that is not UTF-8', Buffer.from([0xff]), 1, 1007],
    ['a reserved opcode', '', 3, 1002],
    ['a continuation without a start', 'x', 0, 1002],
    ['a control frame above 125 bytes', 'x'.repeat(126), 9, 1002],
  ])('closes only its own websocket by %s', async (_what, payload, opcode, code) => {
    await holdQueries();
    const [client, other] = [await connected(), await connected()];
    client.send(payload, opcode);
    await vi.waitFor(() => expect(client.closeCode()).toBe(code));
    await ping(other);
  });

  it('may use any name of a property as an id', async () => {
    const { asked, left } = await holdQueries();
    const client = await connected();
    for (const id of ['__proto__', 'constructor', 'toString']) {
      client.send(subscribe(id, query(0)));
      client.send(JSON.stringify({ id, type: 'complete' }));
    }
    await ping(client);
    expect(asked).toHaveLength(3);
    expect(left).toHaveLength(3);
  });

  it.each<[string, string, number, number]>([
    ['ping messages', '{"type":"ping"}', 1, 201],
    ['pong messages', '{"type":"pong"}', 1, 201],
    ['ping frames', '', 9, 201],
    ['pong frames', '', 10, 201],
    ['complete messages of no operation', '{"id":"x","type":"complete"}', 1, 1_001],
  ])('closes only its own websocket by a flood of %s', async (_what, payload, opcode, count) => {
    await holdQueries();
    const [client, other] = [await connected(), await connected()];
    // Allows for the messages that are earned back meanwhile.
    for (let sent = 0; sent < count * 2; sent += 1) client.send(payload, opcode);
    // ws itself ends a connection with too many unanswered ping frames, without a close frame.
    const isEnded = () => client.socket.readableEnded || client.isClosed();
    await vi.waitFor(() => expect(client.closeCode() ?? (isEnded() && 1008)).toBe(1008));
    await ping(other);
  });

  it('may send as many control messages as a busy client', async () => {
    await holdQueries();
    const client = await connected();
    for (let sent = 0; sent < 100; sent += 1) client.send('{"type":"ping"}');
    await vi.waitFor(() => expect(client.messages()).toHaveLength(101));
    expect(client.closeCode()).toBeUndefined();
  });

  it('closes only its own websocket if a query and its error cause exceptions', async () => {
    await holdQueries({
      requests: { answer: () => Promise.reject(new Error('a defect')) },
      present: () => {
        throw new Error('another defect');
      },
    });
    const [client, other] = [await connected(), await connected()];
    client.send(subscribe('1', '{ best { id } }'));
    await vi.waitFor(() => expect(client.closeCode()).toBe(4500));
    await ping(other);
  });

  it.each(RESET_STAGES)('may reset its connection $stage', async ({ reset }) => {
    await holdQueries();
    await reset({ url: rig.url, init: INIT, subscribe: subscribe('1', '{ best { id } }') });
    await ping(await connected());
  });
});
