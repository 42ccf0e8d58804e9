import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, type LiveClient } from '../index.ts';
import { LiveServer } from '../testing/live-server.ts';
import { watchStream } from '../testing/watch-stream.ts';

/** A window or document that counts its listeners. */
class Target extends EventTarget {
  visibilityState = 'visible';
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
    this.listeners += 1;
    const [, , options] = args;
    const { signal } = options as AddEventListenerOptions;
    signal?.addEventListener('abort', () => {
      this.listeners -= 1;
    });
    super.addEventListener(...args);
  }
}

// Under load, a reconnect takes seconds.
vi.setConfig({ testTimeout: 20_000 });

let server: LiveServer;
let client: LiveClient;
let page: { window: Target; document: Target; navigator: { onLine: boolean } };

beforeEach(async () => {
  server = await LiveServer.start();
  page = { window: new Target(), document: new Target(), navigator: { onLine: true } };
  for (const [name, value] of Object.entries(page)) vi.stubGlobal(name, value);
  client = createClient({ url: server.url, webSocketImpl: WebSocket });
});
afterEach(async () => {
  client.close();
  await server.stop();
  vi.unstubAllGlobals();
});

const eventually = (check: () => void): Promise<void> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });
const listeners = (): number => page.window.listeners + page.document.listeners;

it('listens to the page only while there are subscriptions', async () => {
  expect(listeners()).toBe(0);
  const watched = [watchStream(client), watchStream(client)];
  await eventually(() => expect(server.running).toBe(2));
  expect(listeners()).toBe(4);
  for (const { stop } of watched) stop();
  expect(listeners()).toBe(0);
  watchStream(client);
  await eventually(() => expect(listeners()).toBe(4));
  client.close();
  expect(listeners()).toBe(0);
});

it.each([
  ['the page is shown', () => page.document.dispatchEvent(new Event('visibilitychange'))],
  ['the page is no longer frozen', () => page.document.dispatchEvent(new Event('resume'))],
  ['the device is online', () => page.window.dispatchEvent(new Event('online'))],
])('connects at once when %s', async (_name, dispatch) => {
  // The delays are then at their longest, so that only the event can shorten them.
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const watched = watchStream(client);
  await eventually(() => expect(server.running).toBe(1));
  server.publish(1);
  await eventually(() => expect(watched.data).toEqual([1]));
  const port = await server.stop();
  await eventually(() => expect(watched.states.at(-1)).toBe('offline'));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    // No timer of the client fires from here on, except those with a delay of 0.
    await server.listen(port);
    server.publish(2);
    dispatch();
    while (watched.data.length < 2) {
      vi.advanceTimersByTime(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
  expect(watched.data).toEqual([1, 2]);
});

it('replaces a connection that gives no sign of life when the page is shown', async () => {
  const watched = watchStream(client);
  await eventually(() => expect(server.running).toBe(1));
  server.publish(1);
  await eventually(() => expect(watched.data).toEqual([1]));
  server.isSilent = true;
  server.publish(2);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    page.document.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(3_000);
    server.isSilent = false;
    await vi.advanceTimersByTimeAsync(300);
  } finally {
    vi.useRealTimers();
  }
  await eventually(() => expect(watched.data).toEqual([1, 2]));
});

it('shows at once that the device is offline', async () => {
  const watched = watchStream(client);
  await eventually(() => expect(watched.states).toEqual(['live']));
  page.navigator.onLine = false;
  server.cut();
  await eventually(() => expect(watched.states[1]).toBe('offline'));
});
