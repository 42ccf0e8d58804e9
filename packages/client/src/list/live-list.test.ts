import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientError } from '../client-error.ts';
import { createClient } from '../create-client.ts';
import type { LiveDocument, Variables } from '../document.ts';
import { FakeClient, type SentSubscription } from '../testing/fake-client.ts';
import { liveList } from './live-list.ts';
import type { LiveList, LiveListOptions } from './live-list-options.ts';

interface Item {
  readonly id: string;
  readonly version: number;
  readonly deleted?: boolean;
}
interface Page {
  readonly items: readonly Item[];
  readonly cursor: string;
  readonly endCursor?: string;
  readonly hasNextPage?: boolean;
}
type Event = { readonly item: Item };
type Options = LiveListOptions<Item, Page, Variables, Event, Variables>;

const OPTIONS: Options = {
  query: 'query' as LiveDocument<Page>,
  variables: { first: 2 },
  page: (data) => data,
  subscription: 'subscription' as LiveDocument<Event>,
  subscriptionVariables: { low: true },
  event: ({ item }) => ({ item, deleted: item.deleted }),
  id: ({ id }) => id,
  version: ({ version }) => version,
  compare: (a, b) => a.id.localeCompare(b.id),
};
const a = { id: 'a', version: 1 };
const b = { id: 'b', version: 1 };
const c = { id: 'c', version: 1 };
const marker = (phase: 'begin' | 'end', complete: boolean, reset = false) => ({
  data: null,
  snapshot: { phase, complete, reset },
});
const failure = (code: string, retryable = false) => new ClientError(code, { code, retryable });

describe('liveList', () => {
  let fake: FakeClient;
  let open: LiveList<Item>[];

  beforeEach(() => {
    vi.useFakeTimers();
    fake = new FakeClient();
    open = [];
  });
  afterEach(() => {
    for (const list of open) list.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  const start = (options: Partial<Options> = {}): LiveList<Item> => {
    const list = liveList(fake.client, { ...OPTIONS, ...options });
    open.push(list);
    return list;
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const answer = async (page: Partial<Page>): Promise<void> => {
    fake.queries.at(-1)?.answer({ cursor: 'c1', items: [], ...page });
    await settle();
  };
  const stream = (): SentSubscription['send'] => {
    const last = fake.subscriptions.at(-1);
    if (!last) throw new Error('nothing is subscribed');
    return last.send;
  };
  const ids = (list: LiveList<Item>): string =>
    list
      .get()
      .items.map(({ id, version }) => id + version)
      .join();

  it('loads a page, and follows the stream from the position of the page', async () => {
    const list = start();
    expect(list.get()).toEqual({
      items: [],
      hasMore: false,
      state: 'connecting',
      error: null,
      loading: true,
    });
    expect(fake.queries[0]).toMatchObject({ document: 'query', variables: { first: 2 } });
    await answer({ items: [a, c] });
    expect(fake.active).toMatchObject([
      { document: 'subscription', variables: { low: true }, after: 'c1' },
    ]);
    stream().state('live', null);
    stream().next({ data: { item: { ...c, version: 2 } } });
    stream().next({ data: { item: b } });
    stream().next({ data: { item: { ...a, version: 2, deleted: true } } });
    expect(list.get()).toMatchObject({ state: 'live', loading: false });
    expect(ids(list)).toBe('b1,c2');
  });

  it('returns the same state until something changes', async () => {
    const list = start();
    await answer({ items: [a] });
    const before = list.get();
    expect(list.get()).toBe(before);
    stream().next({ data: { item: { ...a, version: 2 } } });
    expect(list.get()).not.toBe(before);
    expect(before.items).toEqual([a]);
  });

  it('loads the next page once, however often it is requested', async () => {
    const list = start({ pageVariable: 'from' });
    await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
    expect(list.get().hasMore).toBe(true);
    const both = [list.loadMore(), list.loadMore()];
    expect(list.get().loading).toBe(true);
    expect(fake.queries).toHaveLength(2);
    expect(fake.queries[1]?.variables).toEqual({ first: 2, from: 'a' });
    await answer({ items: [b] });
    await Promise.all(both);
    expect(ids(list)).toBe('a1,b1');
    expect(list.get()).toMatchObject({ hasMore: false, loading: false });
    const before = list.get();
    await list.loadMore();
    expect(fake.queries).toHaveLength(2);
    expect(list.get()).toBe(before);
  });

  it('reads a page again if a snapshot has begun since it was requested', async () => {
    const list = start();
    await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
    void list.loadMore();
    stream().next(marker('begin', true));
    await answer({ items: [b] });
    expect(fake.queries).toHaveLength(3);
    expect(fake.queries[2]?.variables).toEqual({ first: 2, after: 'a' });
    stream().next({ data: { item: a } });
    stream().next(marker('end', true));
    await answer({ items: [c] });
    expect(ids(list)).toBe('a1,c1');
  });

  it('loads a page if the last shown item is deleted and there are more', async () => {
    const list = start();
    await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
    stream().next({ data: { item: { ...a, version: 2, deleted: true } } });
    await answer({ items: [b] });
    expect(ids(list)).toBe('b1');
  });

  it('drops the last items if the stream brings more than the limit, and loads them on request', async () => {
    const list = start({ limit: 2 });
    await answer({ items: [b] });
    stream().next({ data: { item: c } });
    stream().next({ data: { item: a } });
    expect(ids(list)).toBe('a1,b1');
    expect(list.get().hasMore).toBe(true);
    const loaded = list.loadMore();
    expect(fake.queries[1]?.variables).toEqual({ first: 2 });
    await answer({ items: [a, b], hasNextPage: true, endCursor: 'b' });
    await answer({ items: [c] });
    await loaded;
    expect(ids(list)).toBe('a1,b1,c1');
    expect(list.get().hasMore).toBe(false);
  });

  describe('if an operation fails', () => {
    it('retries the first page while the server is unavailable', async () => {
      const list = start();
      fake.queries[0]?.fail(failure('NETWORK_ERROR', true));
      await settle();
      expect(list.get()).toMatchObject({ state: 'offline', error: null, loading: true });
      await vi.advanceTimersByTimeAsync(250);
      fake.queries[1]?.fail(failure('UNAUTHENTICATED'));
      await settle();
      expect(list.get()).toMatchObject({ state: 'refused', error: null, loading: true });
      await vi.advanceTimersByTimeAsync(500);
      await answer({ items: [a] });
      expect(ids(list)).toBe('a1');
      expect(list.get().loading).toBe(false);
    });

    it('shows the error of a rejected query, and loads again on request', async () => {
      const list = start();
      const error = failure('BAD_USER_INPUT');
      fake.queries[0]?.fail(error);
      await settle();
      expect(list.get()).toMatchObject({ error, loading: false });
      await vi.advanceTimersByTimeAsync(60_000);
      expect(fake.queries).toHaveLength(1);
      list.restart();
      expect(list.get()).toMatchObject({ error: null, loading: true });
      await answer({ items: [a] });
      expect(ids(list)).toBe('a1');
    });

    it('keeps the list if a further page is rejected', async () => {
      const list = start();
      await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
      const loaded = list.loadMore();
      const error = failure('FORBIDDEN');
      fake.queries[1]?.fail(error);
      await loaded;
      expect(list.get()).toMatchObject({ error, loading: false, hasMore: true });
      stream().next({ data: { item: { ...a, version: 2 } } });
      expect(ids(list)).toBe('a2');
      const again = list.loadMore();
      expect(list.get().error).toBe(null);
      await answer({ items: [b] });
      await again;
      expect(ids(list)).toBe('a2,b1');
    });

    it.each([
      ['the cursor has expired', () => stream().error(failure('CURSOR_EXPIRED'))],
      ['the stream has ended', () => stream().complete()],
      ['the data of a change could not be read', () => stream().next({ data: null, errors: [] })],
      ['a change has errors in place of its item', () => stream().next({ data: {}, errors: [] })],
      [
        'a change has errors beside its item',
        () => stream().next({ data: { item: b }, errors: [{ message: 'no' }] }),
      ],
      ['a reset snapshot is not complete', () => stream().next(marker('begin', false, true))],
      [
        'the end of a reset snapshot is not complete',
        () => {
          stream().next(marker('begin', true, true));
          stream().next(marker('end', false));
        },
      ],
    ])(
      'loads as many items again if %s, and shows the earlier ones until then',
      async (_, fail) => {
        const list = start();
        await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
        void list.loadMore();
        await answer({ items: [b], hasNextPage: true, endCursor: 'b' });
        fail();
        expect(list.get().loading).toBe(true);
        await vi.advanceTimersByTimeAsync(250);
        await answer({
          items: [{ ...b, version: 2 }],
          hasNextPage: true,
          endCursor: 'b',
          cursor: 'c2',
        });
        expect(ids(list)).toBe('a1,b1');
        expect(list.get()).toMatchObject({ state: 'catching-up', error: null });
        await answer({ items: [{ ...c, version: 2 }], hasNextPage: true });
        expect(ids(list)).toBe('b2,c2');
        expect(fake.active).toMatchObject([{ after: 'c2' }]);
        expect(list.get()).toMatchObject({ loading: false, hasMore: true });
      },
    );

    it.each([
      ['the stream is live again', () => stream().state('live', null)],
      ['the device is online again', () => window.dispatchEvent(new Event('online'))],
    ])('reads a further page again as soon as %s', async (_, wake) => {
      vi.stubGlobal('window', new EventTarget());
      const list = start();
      await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
      const loaded = list.loadMore();
      for (let attempt = 1; attempt < 10; attempt += 1) {
        fake.queries[attempt]?.fail(failure('NETWORK_ERROR', true));
        while (fake.queries.length === attempt + 1) await vi.advanceTimersToNextTimerAsync();
      }
      fake.queries[10]?.fail(failure('NETWORK_ERROR', true));
      await settle();
      expect(fake.queries).toHaveLength(11);
      wake();
      await settle();
      await answer({ items: [b] });
      await loaded;
      expect(ids(list)).toBe('a1,b1');
      vi.unstubAllGlobals();
    });

    it('keeps the earlier items if the list cannot be loaded again', async () => {
      const list = start();
      await answer({ items: [a] });
      list.restart();
      const error = failure('FORBIDDEN');
      fake.queries[1]?.fail(error);
      await settle();
      expect(list.get()).toMatchObject({ items: [a], error, loading: false });
    });

    it('loads the list again only once if the earlier stream fails meanwhile', async () => {
      const list = start();
      await answer({ items: [a] });
      list.restart();
      stream().complete();
      await vi.advanceTimersByTimeAsync(60_000);
      expect(fake.queries).toHaveLength(2);
      await answer({ items: [b] });
      expect(ids(list)).toBe('b1');
    });

    it('forgets earlier failures once a list was live for 10 s', async () => {
      start();
      for (let attempt = 0; attempt < 8; attempt += 1) {
        await answer({ items: [a] });
        await vi.advanceTimersByTimeAsync(11_000);
        stream().complete();
        const failedAt = Date.now();
        while (fake.queries.length === attempt + 1) await vi.advanceTimersToNextTimerAsync();
        expect(Date.now() - failedAt).toBeLessThanOrEqual(250);
      }
    });

    it('waits longer each time before it loads a list that fails at once', async () => {
      start();
      const startedAt = Date.now();
      for (let attempt = 0; attempt < 8; attempt += 1) {
        await answer({ items: [a] });
        stream().complete();
        while (fake.queries.length === attempt + 1) await vi.advanceTimersToNextTimerAsync();
      }
      expect(Date.now() - startedAt).toBeGreaterThan(15_000);
    });

    it.each([
      ['page', { page: () => ({ items: [] }) as unknown as Page }, '`page` returns no `cursor`'],
      ['event', { event: () => missing() }, 'missing'],
      ['id', { id: () => missing() }, 'missing'],
    ])('reports an error of the function `%s`', async (_, options, message) => {
      const list = start(options);
      await answer({ items: [a] });
      if (fake.active.length > 0) stream().next({ data: { item: b } });
      expect(list.get().error).toMatchObject({
        code: 'BAD_LIST',
        message: expect.stringContaining(message),
      });
    });
  });

  describe('for another caller', () => {
    it('drops the items at once, and loads the list of this caller', async () => {
      const list = start();
      await answer({ items: [a], hasNextPage: true, endCursor: 'a' });
      const shown: string[] = [];
      list.subscribe(() => shown.push(ids(list)));
      void list.loadMore();
      const [, page] = fake.queries;
      const before = stream();
      fake.becomes('other');
      expect(ids(list)).toBe('');
      expect(fake.active).toEqual([]);
      expect(page?.signal?.aborted).toBe(true);
      before.next({ data: { item: { ...a, version: 2 } } });
      await answer({ items: [c], cursor: 'c2' });
      expect(ids(list)).toBe('c1');
      expect(fake.active).toMatchObject([{ after: 'c2' }]);
      expect(shown.join()).not.toContain('a');
    });

    it('drops the items also while the list is loaded again', async () => {
      const list = start();
      await answer({ items: [a] });
      list.restart();
      fake.becomes('other');
      expect(list.get().items).toEqual([]);
      expect(fake.active).toEqual([]);
      expect(fake.queries.map(({ signal }) => signal?.aborted)).toEqual([true, true, false]);
    });

    it('loads the list as soon as the app has signed in and reconnects', async () => {
      let token: string | null = null;
      const sent: (string | null)[] = [];
      const refusal = { errors: [{ message: 'no', extensions: { code: 'UNAUTHENTICATED' } }] };
      const client = createClient({
        url: 'http://graph.example/graphql',
        token: () => token,
        fetch: async (_, init) => {
          sent.push(new Headers(init?.headers).get('authorization'));
          return Response.json(token ? { data: { items: [a], cursor: 'c1' } } : refusal);
        },
      });
      const list = liveList(client, OPTIONS);
      open.push(list);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(list.get().state).toBe('refused');
      const { length } = sent;
      token = 'header.e30.signature';
      client.reconnect();
      await vi.waitFor(() => expect(ids(list)).toBe('a1'));
      expect(sent.slice(length)).toEqual([`Bearer ${token}`]);
      client.close();
    });

    it('loads the list again that another caller could not read', async () => {
      const list = start();
      fake.queries[0]?.fail(failure('FORBIDDEN'));
      await settle();
      fake.becomes('other');
      await answer({ items: [a] });
      expect(list.get().error).toBe(null);
      expect(ids(list)).toBe('a1');
    });
  });

  describe('listeners', () => {
    it('are notified once a frame of a burst of changes', async () => {
      const list = start();
      await answer({ items: [a] });
      await vi.advanceTimersByTimeAsync(100);
      const listener = vi.fn();
      list.subscribe(listener);
      for (let version = 2; version <= 1_000; version += 1) {
        stream().next({ data: { item: { ...a, version } } });
      }
      expect(listener).toHaveBeenCalledTimes(1);
      await vi.advanceTimersByTimeAsync(16);
      expect(listener).toHaveBeenCalledTimes(2);
      expect(ids(list)).toBe('a1000');
    });

    it('are removed one by one, and all by `close`', async () => {
      const list = start();
      const listener = vi.fn();
      const remove = list.subscribe(listener);
      list.subscribe(listener);
      remove();
      remove();
      await answer({ items: [a] });
      await vi.advanceTimersByTimeAsync(100);
      listener.mockClear();
      stream().next({ data: { item: b } });
      expect(listener).toHaveBeenCalledTimes(1);
      list.close();
      await vi.advanceTimersByTimeAsync(100);
      expect(listener).toHaveBeenCalledTimes(1);
    });
  });

  it.each([
    ['the first page', async () => {}],
    ['the stream', () => answer({ items: [a] })],
    [
      'a retry',
      async () => {
        fake.queries[0]?.fail(failure('NETWORK_ERROR', true));
        await settle();
      },
    ],
  ])('leaves nothing behind if it is closed during %s', async (_, before) => {
    const list = start();
    await before();
    const state = list.get();
    const more = list.loadMore();
    list.close();
    list.close();
    await more;
    expect(fake.active).toEqual([]);
    expect(fake.queries.every(({ signal }) => signal?.aborted)).toBe(true);
    expect(fake.identityListeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(list.get()).toEqual({ ...state, loading: false });
    list.restart();
    await list.loadMore();
    expect(fake.queries).toHaveLength(1);
  });
});

function missing(): never {
  throw new Error('missing');
}
