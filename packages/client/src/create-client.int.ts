import v8 from 'node:v8';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, type LiveClient, type LiveClientOptions } from './index.ts';
import { LiveServer, type StreamMessage } from './testing/live-server.ts';
import { watchStream } from './testing/watch-stream.ts';

// Under load, a reconnect takes seconds.
vi.setConfig({ testTimeout: 20_000 });

let server: LiveServer;
let clients: LiveClient[];

beforeEach(async () => {
  server = await LiveServer.start();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await server.stop();
});

function connect(options: Partial<LiveClientOptions> = {}): LiveClient {
  const client = createClient({ url: server.url, webSocketImpl: WebSocket, ...options });
  clients.push(client);
  return client;
}

const running = (count: number): Promise<void> =>
  vi.waitFor(() => expect(server.running).toBe(count), { timeout: 10_000, interval: 5 });
const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });

describe.each(['websocket', 'sse'] as const)('subscribe over %s', (transport) => {
  it('delivers events with their cursors and conflated counts', async () => {
    const watched = watchStream(connect({ transport }));
    await running(1);
    server.publish({ changed: 1 });
    server.publish({ changed: 2 }, { conflated: 3 });
    await eventually(() => expect(watched.events).toHaveLength(2));
    expect(watched.events).toEqual([
      { data: { changed: 1 }, cursor: '1', conflated: 0, errors: undefined },
      { data: { changed: 2 }, cursor: '2', conflated: 3, errors: undefined },
    ]);
    expect(watched.states).toEqual(['live']);
  });

  it('resumes after the last event when the connection is cut', async () => {
    const watched = watchStream(connect({ transport }));
    await running(1);
    for (let n = 1; n <= 3; n += 1) server.publish(n);
    await eventually(() => expect(watched.data).toHaveLength(3));
    server.cut();
    for (let n = 4; n <= 6; n += 1) server.publish(n);
    await eventually(() => expect(watched.data).toEqual([1, 2, 3, 4, 5, 6]));
    await eventually(() =>
      expect(watched.states).toEqual(['live', 'connecting', 'catching-up', 'live']),
    );
    expect(server.subscribed.map(({ extensions }) => extensions?.live)).toEqual([
      { positions: true },
      { after: '3', positions: true },
    ]);
  });

  it('resumes from the position at which it began if it is cut before the first event', async () => {
    server.publish('earlier');
    const watched = watchStream(connect({ transport }));
    await running(1);
    await eventually(() => expect(watched.states).toEqual(['live']));
    // The position is sent with the subscription, and arrives before this event of another operation.
    server.publish('first');
    await eventually(() => expect(watched.data).toEqual(['first']));
    const other = watchStream(connect({ transport }), { after: '1' });
    await eventually(() => expect(other.states.at(-1)).toBe('live'));
    server.cut();
    server.publish('second');
    await eventually(() => expect(watched.data).toEqual(['first', 'second']));
    await eventually(() => expect(other.data).toEqual(['first', 'second']));
  });

  it('begins after a cursor', async () => {
    server.publish(1);
    server.publish(2);
    const watched = watchStream(connect({ transport }), { after: '1' });
    await eventually(() => expect(watched.data).toEqual([2]));
    await eventually(() => expect(watched.states).toEqual(['catching-up', 'live']));
  });

  it('reconnects until the server is back', async () => {
    const client = connect({ transport, maxRetryDelay: 50 });
    const states: unknown[] = [];
    client.onState((state, reason) => states.push([state, reason?.code]));
    const watched = watchStream(client);
    await running(1);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    const port = await server.stop();
    await eventually(() => expect(client.state).toBe('offline'));
    expect(client.stateReason?.code).toBe('NETWORK_ERROR');
    server.publish(2);
    await server.listen(port);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    await eventually(() => expect(client.state).toBe('live'));
    expect(client.stateReason).toBeNull();
    expect(states.slice(0, 3)).toEqual([
      ['live', undefined],
      ['connecting', undefined],
      ['offline', 'NETWORK_ERROR'],
    ]);
  });

  it('ends when the server completes the stream', async () => {
    const watched = watchStream(connect({ transport }));
    await running(1);
    server.publish(1);
    server.end();
    await eventually(() => expect(watched.completions).toEqual([1]));
    expect(server.running).toBe(0);
  });

  it('ends with the error of a rejected operation', async () => {
    const rejection = { message: 'no', extensions: { code: 'BAD_USER_INPUT', argument: 'id' } };
    server.reject = () => [rejection];
    const watched = watchStream(connect({ transport }));
    await eventually(() => expect(watched.errors).toHaveLength(1));
    expect(watched.errors[0]).toMatchObject({
      name: 'ClientError',
      code: 'BAD_USER_INPUT',
      message: 'no',
      errors: [rejection],
    });
    expect(server.subscribed).toHaveLength(1);
  });

  it('retries an operation that cannot be executed now, without ending the others', async () => {
    const client = connect({ transport, maxRetryDelay: 20 });
    const other = watchStream(client);
    await running(1);
    let rejections = 2;
    server.reject = () => {
      rejections -= 1;
      if (rejections < 0) return undefined;
      return [{ message: 'busy', extensions: { code: 'OVERLOADED', retryable: true } }];
    };
    const watched = watchStream(client);
    await running(2);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    expect(watched.states).toContain('offline');
    expect(watched.states.at(-1)).toBe('live');
    expect(other.states).toEqual(['live']);
    expect(other.data).toEqual([1]);
  });

  it('calls nothing after unsubscribe', async () => {
    const watched = watchStream(connect({ transport }));
    await running(1);
    watched.stop();
    server.publish(1);
    await running(0);
    await eventually(() => expect(server.connections).toBe(0));
    expect(watched).toMatchObject({ data: [], errors: [], completions: [] });
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const watched = watchStream(connect({ transport }), { signal: controller.signal });
    await running(1);
    controller.abort();
    await running(0);
    expect(watched).toMatchObject({ errors: [], completions: [] });
    const late = watchStream(connect({ transport }), { signal: controller.signal });
    server.publish(1);
    expect(late.events).toEqual([]);
    expect(server.subscribed).toHaveLength(1);
  });

  it('delivers a group of events together, and again if it was incomplete', async () => {
    const event = (data: number, live: Record<string, unknown>) => ({ data, extensions: { live } });
    const watched = watchStream(connect({ transport }), { after: '0' });
    const messages: Record<string, StreamMessage[]> = {
      0: [event(1, { cursor: '1' }), event(2, { more: true }), event(3, { more: true })],
      1: [event(2, { more: true }), event(4, { cursor: '4' }), event(5, { more: true })],
    };
    server.onStart = (after) => messages[after] ?? [];
    await eventually(() => expect(watched.data).toEqual([1]));
    server.cut();
    await eventually(() => expect(watched.data).toEqual([1, 2, 4]));
    server.cut();
    await eventually(() => expect(server.subscribed.at(-1)?.extensions?.live?.after).toBe('4'));
    expect(watched.data).toEqual([1, 2, 4]);
  });

  it('passes a change that could not be read', async () => {
    const watched = watchStream(connect({ transport }));
    await running(1);
    const errors = [{ message: 'no stock', path: ['changed'] }];
    server.send({ data: null, errors, extensions: { live: { cursor: '9' } } });
    await eventually(() => expect(watched.events).toHaveLength(1));
    expect(watched.events).toEqual([{ data: null, errors, cursor: '9', conflated: 0 }]);
  });

  it('continues when a handler throws', async () => {
    const uncaught: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    const data: unknown[] = [];
    connect({ transport }).subscribe('subscription { changed }', null, {
      next: (event) => {
        data.push(event.data);
        if (event.data === 1) throw new Error('mine');
      },
    });
    await running(1);
    server.publish(1);
    server.publish(2);
    await eventually(() => expect(data).toEqual([1, 2]));
    expect(uncaught).toEqual([new Error('mine')]);
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(server.subscribed).toHaveLength(1);
  });
});

it('resumes when a response ends while its last events are delivered', async () => {
  const events = Array.from({ length: 50 }, (_, index) => {
    const message = { data: index, extensions: { live: { cursor: '1' } } };
    return `event: next\ndata: ${JSON.stringify(message)}\n\n`;
  });
  server.publish('before');
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode(events.join('')));
      controller.close();
    },
  });
  const responses = [new Response(body)];
  const fetch: typeof globalThis.fetch = async (input, init) =>
    responses.shift() ?? globalThis.fetch(input, init);
  const watched = watchStream(connect({ transport: 'sse', fetch }));
  await running(1);
  server.publish('next');
  await eventually(() => expect(watched.data).toHaveLength(51));
  expect(watched.data.at(-1)).toBe('next');
});

describe('snapshots', () => {
  const marker = (phase: string, complete = true) => ({
    data: null,
    extensions: { live: { snapshot: { phase, complete, reset: false } } },
  });
  const row = (n: number) => ({ data: n, extensions: { live: { cursor: `0.${n}` } } });
  const position = (cursor: string) => ({ data: null, extensions: { live: { cursor } } });
  const shown = ({ events }: ReturnType<typeof watchStream>): unknown[] =>
    events.map(({ data, snapshot }) => snapshot?.phase ?? data);

  it('are continued over connections, with one begin and one end', async () => {
    const rest: Record<string, readonly StreamMessage[]> = {
      0: [marker('begin'), row(1)],
      '0.1': [row(2), marker('end')],
      // The end is sent again to a client that resumes after the last row.
      '0.2': [marker('end'), position('7')],
    };
    server.onStart = (after) => rest[after] ?? [];
    const watched = watchStream(connect(), { after: '0' });
    await eventually(() => expect(shown(watched)).toEqual(['begin', 1]));
    expect(watched.states.at(-1)).toBe('catching-up');
    server.cut();
    await eventually(() => expect(shown(watched)).toEqual(['begin', 1, 2, 'end']));
    server.cut();
    await eventually(() => expect(watched.states.at(-1)).toBe('live'));
    server.cut();
    await eventually(() => expect(server.subscribed.at(-1)?.extensions?.live?.after).toBe('7'));
    expect(shown(watched)).toEqual(['begin', 1, 2, 'end']);
  });

  it('of which the end is not sent are ended as incomplete by the next position', async () => {
    server.onStart = () => [marker('begin'), row(1), position('7')];
    const watched = watchStream(connect(), { after: '0' });
    await eventually(() => expect(shown(watched)).toEqual(['begin', 1, 'end']));
    expect(watched.events.at(-1)?.snapshot?.complete).toBe(false);
    await eventually(() => expect(watched.states.at(-1)).toBe('live'));
  });

  it('are forgotten if the connection is lost before their first row', async () => {
    const rest: Record<string, readonly StreamMessage[]> = {
      0: [marker('begin'), row(1), marker('end'), marker('begin', false)],
      // The end concerns the first snapshot. A client that applied it to the second one would drop all rows.
      '0.1': [marker('end'), row(2)],
    };
    server.onStart = (after) => rest[after] ?? [];
    const watched = watchStream(connect(), { after: '0' });
    await eventually(() => expect(shown(watched)).toEqual(['begin', 1, 'end']));
    server.cut();
    await eventually(() => expect(shown(watched)).toEqual(['begin', 1, 'end', 2]));
  });

  it('show as catching-up', async () => {
    const watched = watchStream(connect());
    await running(1);
    server.send(marker('begin'));
    server.send(row(1));
    await eventually(() => expect(watched.states).toEqual(['live', 'catching-up']));
    server.send(marker('end'));
    await eventually(() => expect(watched.states).toEqual(['live', 'catching-up', 'live']));
  });
});

describe('iterables', () => {
  const stream = (client: LiveClient, after?: string) =>
    client.subscribe<number>('subscription { changed }', null, { after });

  it('send nothing before the iteration, and end the subscription when the loop is left', async () => {
    const client = connect();
    const events = stream(client);
    await Promise.resolve();
    expect(server.connections).toBe(0);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of events) {
        seen.push(data);
        if (data === 2) break;
      }
    })();
    await running(1);
    for (let n = 1; n <= 3; n += 1) server.publish(n);
    await reading;
    expect(seen).toEqual([1, 2]);
    await running(0);
    await eventually(() => expect(server.connections).toBe(0));
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('of a slow consumer hold a bounded number of events, and miss none', async () => {
    const events = stream(connect({ maxQueuedEvents: 10 }));
    const first = events.next();
    await running(1);
    for (let n = 1; n <= 100; n += 1) server.publish(n);
    expect((await first).value?.data).toBe(1);
    await running(0);
    const seen: unknown[] = [];
    while (seen.length < 99) seen.push((await events.next()).value?.data);
    expect(seen).toEqual(Array.from({ length: 99 }, (_, index) => index + 2));
    expect(server.subscribed.map(({ extensions }) => extensions?.live?.after)).toEqual([
      // A reader waits while the connection is opened, and takes one event more.
      undefined,
      ...Array.from({ length: 9 }, (_, index) => String((index + 1) * 11)),
    ]);
    await events.return?.();
  });

  it('throw the error of a rejected operation, once', async () => {
    server.reject = () => [{ message: 'no', extensions: { code: 'CURSOR_EXPIRED' } }];
    const events = stream(connect());
    await expect(events.next()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it('deliver queued events before the end of the stream', async () => {
    const events = stream(connect());
    const first = events.next();
    await running(1);
    for (let n = 1; n <= 3; n += 1) server.publish(n);
    server.end();
    await running(0);
    await first;
    const rest = [await events.next(), await events.next(), await events.next()];
    expect(rest.map(({ value }) => value?.data)).toEqual([2, 3, undefined]);
  });

  it('that are dropped without return are unsubscribed', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collect = vm.runInNewContext('gc') as () => void;
    const client = connect();
    await (async () => {
      const events = stream(client);
      const first = events.next();
      await running(1);
      server.publish(1);
      await first;
    })();
    await eventually(() => {
      collect();
      expect(server.running).toBe(0);
    });
  });
});

describe('connections', () => {
  it('are shared by subscriptions, and closed after the last one', async () => {
    const client = connect();
    const watched = [watchStream(client), watchStream(client), watchStream(client)];
    await running(3);
    expect(server.connections).toBe(1);
    const [first, ...others] = watched;
    first?.stop();
    await running(2);
    server.publish(1);
    await eventually(() => expect(others.map(({ data }) => data)).toEqual([[1], [1]]));
    for (const { stop } of others) stop();
    await eventually(() => expect(server.connections).toBe(0));
    const again = watchStream(client);
    await running(1);
    server.publish(2);
    await eventually(() => expect(again.data).toEqual([2]));
  });

  it.each([1000, 1001, 1011, 4400, 4403, 4480])(
    'are opened again after close code %i',
    async (code) => {
      const watched = watchStream(connect());
      await running(1);
      server.publish(1);
      await eventually(() => expect(watched.data).toEqual([1]));
      server.closeWith(code);
      server.publish(2);
      await eventually(() => expect(watched.data).toEqual([1, 2]));
      expect(watched.states).not.toContain('offline');
    },
  );

  it('use server-sent events where websockets fail, and stay there', async () => {
    server.refusesWebSockets = true;
    const watched = watchStream(connect({ maxRetryDelay: 20 }));
    await running(1);
    expect(server.websockets).toBe(0);
    server.publish(1);
    server.cut();
    server.publish(2);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    expect(server.subscribed).toHaveLength(2);
  });

  it('return to a websocket when only the whole server was unavailable', async () => {
    const watched = watchStream(connect({ maxRetryDelay: 20 }));
    await running(1);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    const port = await server.stop();
    await eventually(() => expect(watched.states.at(-1)).toBe('offline'));
    await server.listen(port);
    server.publish(2);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    await eventually(() => expect(server.websockets).toBe(1));
    await eventually(() => expect(watched.states.at(-1)).toBe('live'));
    server.publish(3);
    await eventually(() => expect(watched.data).toEqual([1, 2, 3]));
  });

  it('use server-sent events where there is no WebSocket', async () => {
    vi.stubGlobal('WebSocket', undefined);
    const watched = watchStream(connect({ webSocketImpl: undefined }));
    await running(1);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    vi.unstubAllGlobals();
  });

  it.each(['websocket', 'sse'] as const)('that are silent are replaced (%s)', async (transport) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      const watched = watchStream(connect({ transport }));
      const advance = async (ms: number): Promise<void> => {
        await vi.advanceTimersByTimeAsync(ms);
        await new Promise((resolve) => setImmediate(resolve));
      };
      while (server.running === 0) await advance(1);
      server.publish(1);
      while (watched.data.length === 0) await advance(1);
      server.isSilent = true;
      await advance(15_000);
      await advance(15_100);
      server.isSilent = false;
      while (server.subscribed.length < 2) await advance(10);
      expect(server.subscribed.at(-1)?.extensions?.live?.after).toBe('1');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('close', () => {
  it('while the connection is opened ends the handshake', async () => {
    const client = connect();
    const watched = watchStream(client);
    while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
    client.close();
    await eventually(() => expect(server.connections).toBe(0));
    expect(watched.errors).toMatchObject([{ code: 'CLOSED' }]);
  });

  it('ends subscriptions with CLOSED, and leaves nothing open', async () => {
    const client = connect();
    const watched = watchStream(client);
    const iterated = client.subscribe('subscription { changed }').next();
    await running(2);
    let states = 0;
    client.onState(() => {
      states += 1;
    });
    client.close();
    const closed = { name: 'ClientError', code: 'CLOSED' };
    await expect(iterated).rejects.toMatchObject(closed);
    expect(watched.errors).toMatchObject([closed]);
    await eventually(() => expect(server.connections).toBe(0));
    expect(states).toBe(0);
    await expect(client.query('{ a }')).rejects.toMatchObject(closed);
    await expect(client.subscribe('subscription { a }').next()).rejects.toMatchObject(closed);
    const late = watchStream(client);
    expect(late.errors).toEqual([]);
    await eventually(() => expect(late.errors).toMatchObject([closed]));
    expect(server.subscribed).toHaveLength(2);
  });
});
