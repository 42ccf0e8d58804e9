import { setImmediate as turn } from 'node:timers/promises';
import { ANONYMOUS_PRINCIPAL, type Authentication, type Identity } from '@gudang/auth';
import { createHealth, createHttpServer, createLogger, createMetrics } from '@gudang/runtime';
import {
  clientFrame,
  openRawWebsocket,
  type RawWebsocket,
  RESET_STAGES,
} from '@gudang/runtime/testing';
import { buildSchema } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EventTurns } from './event-turns.ts';
import { serveSubgraph } from './serve-subgraph.ts';
import { serveWebsocket } from './serve-websocket.ts';
import { onSubscriptionEnd } from './subscription-context.ts';

const SECRET = 'a secret of some length';
const INIT = JSON.stringify({ type: 'connection_init', payload: { gudang: { secret: SECRET } } });
const LIMIT = 4 * 1024 * 1024;

const sdl = `
  type Query { ok: Boolean }
  type Mutation { count: Int }
  type Subscription { quiet(ids: [ID!]): Int failing: Int slow: Slow }
  type Slow { value: Int }`;
/** Number of mutations, of contexts for operations, and of subscriptions that wait for a change. */
const ran = { mutations: 0, contexts: 0, waiting: 0 };
/** Ends the slow events that are being executed. */
const slow: (() => void)[] = [];
const resolvers = {
  Mutation: {
    count: () => {
      ran.mutations += 1;
      return ran.mutations;
    },
  },
  Slow: {
    value: () =>
      new Promise((resolve) => {
        slow.push(() => resolve(1));
      }),
  },
  Subscription: {
    slow: {
      async *subscribe() {
        for (;;) yield { slow: {} };
      },
    },
    quiet: {
      async *subscribe(_: unknown, { ids }: { ids?: string[] }, context: object) {
        ran.waiting += 1;
        if (ids) yield { quiet: ids.length };
        await new Promise<void>((resolve) => onSubscriptionEnd(context, resolve));
        ran.waiting -= 1;
      },
    },
    failing: {
      subscribe: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise(() => {}),
          return: async () => {
            throw new Error('a defect');
          },
        }),
      }),
    },
  },
};

function createContext(identity: Identity): { readonly identity: Identity } {
  ran.contexts += 1;
  return { identity };
}

let url = '';
const app = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
const open: RawWebsocket[] = [];
const uncaught = vi.fn();
beforeAll(async () => {
  const auth: Authentication = { on: true, authenticate: () => ANONYMOUS_PRINCIPAL };
  const service = {
    app,
    auth,
    log: createLogger('test', 'silent'),
    settings: { NODE_ENV: 'test' as const, SUBGRAPH_SECRET: [SECRET] },
    isOutage: () => false,
  };
  await serveSubgraph(service, { sdl, resolvers, createContext });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  process.on('unhandledRejection', uncaught);
  process.on('uncaughtException', uncaught);
});
afterAll(async () => {
  process.off('unhandledRejection', uncaught);
  process.off('uncaughtException', uncaught);
  await app.close();
});
afterEach(async () => {
  for (const { socket } of open.splice(0)) socket.destroy();
  await turn();
  expect(uncaught).not.toHaveBeenCalled();
});

async function connectRaw(): Promise<RawWebsocket> {
  const client = await openRawWebsocket(url);
  open.push(client);
  return client;
}

/** Opens a connection that the subgraph has acknowledged. */
async function connected(): Promise<RawWebsocket> {
  const client = await connectRaw();
  client.send(INIT);
  await vi.waitFor(() => expect(client.frames).toHaveLength(1));
  return client;
}

const subscribe = (id: string, query: string, variables?: object): string =>
  JSON.stringify({ id, type: 'subscribe', payload: { query, variables } });
describe('the websocket of a subgraph', () => {
  it('accepts operations of any size that a client may send to the gateway, and states its limit', async () => {
    const client = await connected();
    expect(client.messages()[0]).toEqual({
      type: 'connection_ack',
      payload: { gudang: { messageBytes: LIMIT } },
    });
    const ids = Array.from({ length: 1_000 }, (_, index) => `${index}`.padEnd(95, 'x'));
    const text = subscribe('1', 'subscription ($ids: [ID!]) { quiet(ids: $ids) }', { ids });
    expect(text.length).toBeGreaterThan(64 * 1024);
    for (let at = 0; at < text.length; at += 60_000) {
      const isFinal = at + 60_000 >= text.length;
      const part = text.slice(at, at + 60_000);
      client.socket.write(clientFrame(part, at === 0 ? 1 : 0, isFinal));
    }
    await vi.waitFor(() =>
      expect(client.messages()[1]).toMatchObject({ payload: { data: { quiet: 1_000 } } }),
    );
  });

  it('rejects a subscription above the limit of its connection, and keeps the others', async () => {
    const limited = createHttpServer({ health: createHealth(), metrics: createMetrics('test') });
    const schema = buildSchema('type Query { ok: Boolean } type Subscription { quiet: Int }');
    Object.assign(schema.getSubscriptionType()?.getFields()['quiet'] ?? {}, {
      subscribe: async function* (_root: unknown, _args: unknown, context: object) {
        await new Promise<void>((resolve) => onSubscriptionEnd(context, resolve));
        yield undefined;
      },
    });
    serveWebsocket({
      app: limited,
      schema,
      accepts: () => true,
      createContext: () => ({}),
      messageBytes: LIMIT,
      maxSubscriptions: 2,
      log: createLogger('test', 'silent'),
      isOutage: () => false,
    });
    const client = await openRawWebsocket(await limited.listen({ host: '127.0.0.1', port: 0 }));
    client.send(INIT);
    await vi.waitFor(() => expect(client.messages()).toHaveLength(1));
    for (const id of ['1', '2', '3']) client.send(subscribe(id, 'subscription { quiet }'));
    await vi.waitFor(() =>
      expect(client.messages().slice(1)).toMatchObject([
        { id: '3', type: 'error', payload: [{ extensions: { code: 'LIMIT_EXCEEDED', max: 2 } }] },
      ]),
    );
    client.socket.destroy();
    await limited.close();
  });

  it.each([
    ['a syntax error', 'subscription {'],
    ['an unknown field', 'subscription { other }'],
    ['no operation', 'fragment F on Query { ok }'],
    ['two operations without a name', 'query A { ok } query B { ok }'],
  ])('rejects only an operation with %s', async (_what, query) => {
    const client = await connected();
    client.send(subscribe('1', query));
    await vi.waitFor(() =>
      expect(client.messages()[1]).toMatchObject({ id: '1', type: 'error', payload: [{}] }),
    );
    client.send('{"type":"ping"}');
    await vi.waitFor(() => expect(client.messages()[2]).toEqual({ type: 'pong' }));
  });

  it('ends a subscription that waits for a change when it is completed, and when its connection is lost', async () => {
    const client = await connected();
    client.send(subscribe('1', 'subscription { quiet }'));
    client.send(subscribe('2', 'subscription { quiet }'));
    await vi.waitFor(() => expect(ran.waiting).toBe(2));
    client.send(JSON.stringify({ id: '1', type: 'complete' }));
    await vi.waitFor(() => expect(ran.waiting).toBe(1));
    client.socket.resetAndDestroy();
    await vi.waitFor(() => expect(ran.waiting).toBe(0));
  });

  it('does not start subscriptions that were completed before their turn', async () => {
    const client = await connected();
    const before = ran.contexts;
    const ids = Array.from({ length: 200 }, (_, index) => `s${index}`);
    const messages = [
      ...ids.map((id) => subscribe(id, 'subscription { quiet }')),
      ...ids.map((id) => JSON.stringify({ id, type: 'complete' })),
      subscribe('last', 'subscription { quiet(ids: ["a"]) }'),
    ];
    client.socket.write(Buffer.concat(messages.map((message) => clientFrame(message))));
    await vi.waitFor(() => expect(client.messages().at(-1)).toMatchObject({ id: 'last' }));
    expect(ran.contexts - before).toBeLessThan(ids.length / 2);
  });

  it('executes the events of costly subscriptions one at a time, and not after their end', async () => {
    const client = await connected();
    const costly = { gudang: { costly: true } };
    const query = 'subscription { slow { value } }';
    for (const id of ['1', '2', '3']) {
      const payload = { query, extensions: costly };
      client.send(JSON.stringify({ id, type: 'subscribe', payload }));
    }
    client.send(subscribe('cheap 1', query));
    client.send(subscribe('cheap 2', query));
    await vi.waitFor(() => expect(slow).toHaveLength(3));
    client.send(JSON.stringify({ id: '2', type: 'complete' }));
    client.send('{"type":"ping"}');
    await vi.waitFor(() => expect(client.messages().at(-1)).toEqual({ type: 'pong' }));
    const order: unknown[] = [];
    while (order.length < 2) {
      for (const end of slow.splice(0)) end();
      await vi.waitFor(() => expect(slow.length).toBeGreaterThan(0));
      const ids = client.messages().map(({ id }) => id);
      order.splice(0, 2, ...ids.filter((id) => id === '1' || id === '2' || id === '3'));
    }
    expect(order.slice(0, 2)).toEqual(['1', '3']);
    client.socket.destroy();
    for (const end of slow.splice(0)) end();
  });

  it.each([
    [true, 1],
    [false, 0],
  ])(
    'sends the events of a subscription with pauses if the gateway asks for it: %s',
    async (isSlow, turns) => {
      const nextSlow = vi.spyOn(EventTurns.prototype, 'nextSlow');
      const client = await connected();
      const payload = {
        query: 'subscription { quiet(ids: ["a"]) }',
        extensions: { gudang: { slow: isSlow } },
      };
      client.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      const event = { id: '1', type: 'next', payload: { data: { quiet: 1 } } };
      await vi.waitFor(() => expect(client.messages()).toContainEqual(event));
      expect(nextSlow).toHaveBeenCalledTimes(turns);
      nextSlow.mockRestore();
      client.socket.destroy();
    },
  );

  it('handles no message after its close frame, and destroys the connection within 2 s', async () => {
    const client = await connected();
    client.send(subscribe('é'.repeat(100), 'subscription { quiet }'));
    client.send(subscribe('é'.repeat(100), 'subscription { quiet }'));
    const before = ran.mutations;
    client.send(subscribe('2', 'mutation { count }'));
    await vi.waitFor(() => expect(client.closeCode()).toBe(4409));
    await vi.waitFor(
      () => {
        client.send(subscribe('3', 'mutation { count }'));
        expect(client.isClosed()).toBe(true);
      },
      { timeout: 5_000 },
    );
    expect(ran.mutations).toBe(before);
  });

  it('answers a ping without its payload', async () => {
    const client = await connected();
    client.send(JSON.stringify({ type: 'ping', payload: { pad: 'x'.repeat(10_000) } }));
    await vi.waitFor(() => expect(client.messages()[1]).toEqual({ type: 'pong' }));
  });

  it.each<[string, string | Buffer, number, number]>([
    ['text that is not JSON', '{', 1, 4400],
    ['an id that is not a string', '{"id":1,"type":"complete"}', 1, 4400],
    [
      'a query that is not a string',
      '{"id":"1","type":"subscribe","payload":{"query":1}}',
      1,
      4400,
    ],
    ['a binary message', INIT, 2, 1003],
    ['text that is not UTF-8', Buffer.from([0xff]), 1, 1007],
    ['a reserved opcode', '', 3, 1002],
    ['a second connection_init', INIT, 1, 4429],
  ])('closes only its connection after %s', async (_what, payload, opcode, code) => {
    const [client, other] = [await connected(), await connected()];
    client.send(payload, opcode);
    await vi.waitFor(() => expect(client.closeCode()).toBe(code));
    other.send('{"type":"ping"}');
    await vi.waitFor(() => expect(other.messages()[1]).toEqual({ type: 'pong' }));
  });

  it('contains a subscription that fails while its connection closes', async () => {
    const client = await connected();
    client.send(subscribe('__proto__', 'subscription { failing }'));
    client.send('{"type":"ping"}');
    await vi.waitFor(() => expect(client.messages()).toHaveLength(2));
    client.send(Buffer.from([3, 232]), 8);
    await vi.waitFor(() => expect(client.closeCode()).toBe(1000));
  });

  it.each(RESET_STAGES)('survives a connection reset $stage', async ({ reset }) => {
    await reset({ url, init: INIT, subscribe: subscribe('1', 'subscription { quiet }') });
    const client = await connected();
    client.send('{"type":"ping"}');
    await vi.waitFor(() => expect(client.messages()[1]).toEqual({ type: 'pong' }));
    await vi.waitFor(() => expect(ran.waiting).toBe(0));
  });
});
