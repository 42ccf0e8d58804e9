import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  createClient,
  type LiveClient,
  type LiveClientOptions,
  type TokenReason,
} from '../index.ts';
import { LiveServer } from '../testing/live-server.ts';
import { watchStream } from '../testing/watch-stream.ts';

// Under load, a reconnect takes seconds.
vi.setConfig({ testTimeout: 20_000 });

let server: LiveServer;
let client: LiveClient | undefined;
let reasons: TokenReason[];

beforeEach(async () => {
  server = await LiveServer.start();
  reasons = [];
});
afterEach(async () => {
  client?.close();
  await server.stop();
});

/** Creates a client whose tokens are read one after the other; the last one is repeated. */
function connect(tokens: readonly (string | null)[], options: Partial<LiveClientOptions> = {}) {
  const token = (reason: TokenReason): string | null => {
    const found = tokens[Math.min(reasons.length, tokens.length - 1)] ?? null;
    reasons.push(reason);
    return found;
  };
  client = createClient({ url: server.url, webSocketImpl: WebSocket, token, ...options });
  return client;
}

function tokenOf(claims: Readonly<Record<string, unknown>>): string {
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
}

const secondsFromNow = (seconds: number): number => Date.now() / 1000 + seconds;
const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });
const running = (count: number): Promise<void> =>
  eventually(() => expect(server.running).toBe(count));

describe('the token of a websocket', () => {
  it('is replaced by a ping before it expires, without another connection', async () => {
    const first = tokenOf({ sub: 'a', exp: secondsFromNow(2) });
    const second = tokenOf({ sub: 'a', exp: secondsFromNow(1000) });
    const watched = watchStream(connect([first, second], { refreshTokenBefore: 500 }));
    await eventually(() => expect(server.tokens).toEqual([first, second]));
    expect(reasons).toEqual(['connect', 'expiring']);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    expect(watched.states).toEqual(['live']);
    expect(server.subscribed).toHaveLength(1);
  });

  it('is replaced after close code 4481, without a visible error', async () => {
    const watched = watchStream(connect(['old', 'new']));
    await running(1);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    server.closeWith(4481, 'The token has expired');
    server.publish(2);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    expect(server.tokens).toEqual(['old', 'new']);
    expect(reasons).toEqual(['connect', 'refused']);
    await eventually(() =>
      expect(watched.states).toEqual(['live', 'connecting', 'catching-up', 'live']),
    );
  });

  it('is not regarded as refused if it was renewed when the earlier one expired', async () => {
    const watched = watchStream(connect(['mine'], { maxRetryDelay: 10 }));
    await running(1);
    server.closeWith(4481);
    await eventually(() => expect(server.tokens).toEqual(['mine', 'mine']));
    await running(1);
    expect(watched.states).not.toContain('refused');
  });

  it('is replaced if the server refuses it, without a visible error', async () => {
    server.accepts = (token) => token === 'new';
    const watched = watchStream(connect(['old', 'new']));
    await running(1);
    expect(reasons).toEqual(['connect', 'refused']);
    expect(watched.states).toEqual(['live']);
  });
});

describe('the token of server-sent events', () => {
  it('is replaced before it expires, and the stream resumes', async () => {
    const first = tokenOf({ sub: 'a', exp: secondsFromNow(2) });
    const second = tokenOf({ sub: 'a', exp: secondsFromNow(1000) });
    const options = { refreshTokenBefore: 500, transport: 'sse' } as const;
    const watched = watchStream(connect([first, second], options));
    await running(1);
    server.publish(1);
    await eventually(() => expect(server.subscribed).toHaveLength(2));
    server.publish(2);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    expect(watched.states).not.toContain('offline');
    expect(server.tokens.at(-1)).toBe(reasons.length === 2 ? first : second);
  });

  it('is replaced when the stream ends because it has expired', async () => {
    const watched = watchStream(connect(['old', 'new'], { transport: 'sse' }));
    await running(1);
    server.publish(1);
    await eventually(() => expect(watched.data).toEqual([1]));
    server.accepts = (token) => token === 'new';
    server.end([{ message: 'expired', extensions: { code: 'UNAUTHENTICATED' } }]);
    server.publish(2);
    await eventually(() => expect(watched.data).toEqual([1, 2]));
    expect(reasons).toEqual(['connect', 'refused']);
    expect(watched.errors).toEqual([]);
  });
});

describe.each(['websocket', 'sse'] as const)('a refused token (%s)', (transport) => {
  it('is not sent again; the state is refused until there is another', async () => {
    server.accepts = (token) => token === 'new';
    let token = 'old';
    let reads = 0;
    const read = (): string => {
      reads += 1;
      return token;
    };
    const options = { token: read, transport, maxRetryDelay: 10 } as const;
    const watched = watchStream(connect([], options));
    await eventually(() => expect(client?.state).toBe('refused'));
    expect(client?.stateReason?.code).toBe('UNAUTHENTICATED');
    await eventually(() => expect(reads).toBeGreaterThan(5));
    expect(server.tokens).toEqual(['old']);
    token = 'new';
    await running(1);
    await eventually(() => expect(watched.states.at(-1)).toBe('live'));
    expect(watched.errors).toEqual([]);
  });

  it('is replaced at once by reconnect', async () => {
    server.accepts = (token) => token === 'new';
    let token = 'old';
    watchStream(connect([], { token: () => token, transport }));
    await eventually(() => expect(client?.state).toBe('refused'));
    token = 'new';
    client?.reconnect();
    await running(1);
    await eventually(() => expect(client?.state).toBe('live'));
  });
});

it('subscribes again with the present token after reconnect', async () => {
  const watched = watchStream(connect([null, 'mine']));
  await running(1);
  server.publish(1);
  await eventually(() => expect(watched.data).toEqual([1]));
  client?.reconnect();
  server.publish(2);
  await eventually(() => expect(watched.data).toEqual([1, 2]));
  expect(server.tokens).toEqual(['mine']);
  expect(server.websockets).toBe(1);
});

it('reads the token again if reconnect is called while it is read', async () => {
  const reads: ((token: string) => void)[] = [];
  const token = (): Promise<string> => new Promise((resolve) => reads.push(resolve));
  watchStream(connect([], { token }));
  await eventually(() => expect(reads).toHaveLength(1));
  client?.reconnect();
  reads[0]?.('before the sign-out');
  await eventually(() => expect(reads).toHaveLength(2));
  reads[1]?.('mine');
  await running(1);
  expect(server.tokens).toEqual(['mine']);
});

it('ends the subscription of an anonymous caller that needs a token', async () => {
  server.reject = () => [{ message: 'sign in', extensions: { code: 'UNAUTHENTICATED' } }];
  const watched = watchStream(connect([null]));
  await eventually(() => expect(watched.errors).toMatchObject([{ code: 'UNAUTHENTICATED' }]));
});

it('retries when the app cannot read its token', async () => {
  let failures = 2;
  const token = async (): Promise<string> => {
    failures -= 1;
    if (failures >= 0) throw new Error('no network');
    return 'mine';
  };
  const watched = watchStream(connect([], { token, maxRetryDelay: 10 }));
  await eventually(() => expect(client?.stateReason?.code).toBe('TOKEN_UNAVAILABLE'));
  await eventually(() => expect(watched.states.at(-1)).toBe('live'));
});

it('reports the identity of a token, by subject and scopes', async () => {
  const identities: string[] = [];
  const tokens = [
    null,
    tokenOf({ sub: 'a', scope: 'x', exp: 1 }),
    tokenOf({ sub: 'a', scope: 'x', exp: 2 }),
    tokenOf({ sub: 'b', scope: 'x' }),
    tokenOf({ sub: 'b', scope: 'y' }),
    'opaque',
    null,
  ];
  connect(tokens).onIdentity((identity) => identities.push(identity));
  for (const _ of tokens) await client?.query('{ a }');
  expect(new Set(identities).size).toBe(5);
  expect(identities).toHaveLength(5);
  expect(identities.at(-1)).toBe('');
  expect(client?.identity).toBe('');
});
