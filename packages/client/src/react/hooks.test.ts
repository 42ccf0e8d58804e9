import { act, createElement, type ReactNode, StrictMode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientError } from '../client-error.ts';
import type { LiveDocument, Variables } from '../document.ts';
import { FakeClient, type SentSubscription } from '../testing/fake-client.ts';
import { createFakeDocument } from '../testing/fake-document.ts';
import { LiveProvider, useConnection, useLive, useLiveList } from './index.ts';

const CHANGES = 'subscription' as LiveDocument<{ readonly n: number }, Variables>;
const QUERY = 'query' as LiveDocument<readonly number[], Variables>;

describe('hooks', () => {
  let fake: FakeClient;
  let root: Root;
  /** Renders the component again. */
  let update: () => Promise<void>;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const fakeDocument = createFakeDocument();
    vi.stubGlobal('window', fakeDocument.window);
    vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
    root = createRoot(fakeDocument.container);
    fake = new FakeClient();
  });
  afterEach(async () => {
    await unmount();
    expect(fake.active).toEqual([]);
    expect(fake.identityListeners.size).toBe(0);
    expect(fake.stateListeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const unmount = async (): Promise<void> => {
    await act(() => root.unmount());
    await vi.advanceTimersByTimeAsync(100);
  };
  /** Renders a component that only calls a hook, in StrictMode. @returns a getter of its last result */
  const render = async <T>(hook: () => T): Promise<() => T> => {
    let last: T | undefined;
    const Component = (): ReactNode => {
      last = hook();
      return null;
    };
    update = async () => {
      const component = createElement(Component);
      const provider = createElement(LiveProvider, { client: fake.client }, component);
      await act(() => root.render(createElement(StrictMode, null, provider)));
    };
    await update();
    return () => last as T;
  };
  const frame = () => act(() => vi.advanceTimersByTimeAsync(16));
  const stream = (): SentSubscription['send'] => {
    const last = fake.subscriptions.at(-1);
    if (!last) throw new Error('nothing is subscribed');
    return last.send;
  };

  describe('useLive', () => {
    it('shows the last event of one subscription', async () => {
      const shown = await render(() => useLive(CHANGES, { id: 1 }, { after: 'c1' }));
      expect(shown()).toEqual({ data: null, state: 'connecting', error: null });
      expect(fake.subscriptions).toMatchObject([{ variables: { id: 1 }, after: 'c1' }]);
      await act(() => {
        stream().state('live', null);
        stream().next({ data: { n: 1 } });
        stream().next({ data: { n: 2 } });
      });
      await frame();
      expect(shown()).toEqual({ data: { n: 2 }, state: 'live', error: null });
      expect(fake.subscriptions).toHaveLength(1);
    });

    it('begins another subscription for other variables, not for a copy of them', async () => {
      let id = 1;
      const shown = await render(() => useLive(CHANGES, { id }));
      await act(() => stream().next({ data: { n: 1 } }));
      await update();
      expect(fake.subscriptions).toHaveLength(1);
      expect(shown().data).toEqual({ n: 1 });
      id = 2;
      await update();
      await frame();
      expect(fake.subscriptions).toHaveLength(2);
      expect(fake.active).toMatchObject([{ variables: { id: 2 } }]);
      expect(shown().data).toBe(null);
    });

    it('calls the latest `onEvent` for every event and marker', async () => {
      const seen: unknown[] = [];
      let renders = 1;
      await render(() => {
        const number = renders;
        return useLive(CHANGES, null, { onEvent: ({ data }) => seen.push([number, data]) });
      });
      await act(() => {
        stream().next({ data: { n: 1 } });
        stream().next({ data: null, snapshot: { phase: 'end', complete: true, reset: false } });
        stream().next({ data: { n: 2 } });
      });
      await frame();
      renders = 2;
      await update();
      await act(() => stream().next({ data: { n: 3 } }));
      await frame();
      expect(seen).toEqual([
        [1, { n: 1 }],
        [1, null],
        [1, { n: 2 }],
        [2, { n: 3 }],
      ]);
    });

    it('shows the error of an event until the next one, and the error that ends it', async () => {
      const shown = await render(() => useLive(CHANGES));
      await act(() => stream().next({ data: { n: 1 } }));
      await act(() => stream().next({ data: null, errors: [{ message: 'broken' }] }));
      await frame();
      expect(shown()).toMatchObject({ data: { n: 1 }, error: { message: 'broken' } });
      await act(() => stream().next({ data: { n: 2 } }));
      await frame();
      expect(shown()).toMatchObject({ data: { n: 2 }, error: null });
      const error = new ClientError('refused', { code: 'FORBIDDEN' });
      await act(() => stream().error(error));
      await frame();
      expect(shown().error).toBe(error);
    });

    it('drops the data of another caller, and subscribes again', async () => {
      const shown = await render(() => useLive(CHANGES));
      await act(() => fake.becomes('first'));
      expect(fake.subscriptions).toHaveLength(1);
      await act(() => stream().next({ data: { n: 1 } }));
      await act(() => fake.becomes('other'));
      await frame();
      expect(shown().data).toBe(null);
      expect(fake.subscriptions).toHaveLength(2);
      expect(fake.active).toHaveLength(1);
    });

    it('subscribes to nothing while it is skipped', async () => {
      const shown = await render(() => useLive(CHANGES, {}, { skip: true }));
      expect(shown().data).toBe(null);
      expect(fake.subscriptions).toEqual([]);
    });
  });

  describe('useLiveList', () => {
    const list = (skip = false) =>
      useLiveList({
        query: QUERY,
        variables: { first: 2 },
        page: (items) => ({ items, cursor: 'c1', endCursor: 'e1', hasNextPage: items.length > 1 }),
        subscription: CHANGES,
        event: ({ n }) => ({ item: n }),
        id: String,
        version: () => 1,
        compare: (a, b) => a - b,
        skip,
      });

    it('loads and follows one list, although StrictMode mounts twice', async () => {
      const shown = await render(() => list());
      expect(shown()).toMatchObject({ items: [], loading: true, hasMore: false });
      expect(fake.queries).toHaveLength(1);
      const { loadMore, restart } = shown();
      await act(async () => fake.queries[0]?.answer([1, 3]));
      await frame();
      expect(shown()).toMatchObject({ items: [1, 3], loading: false, hasMore: true });
      await act(() => stream().next({ data: { n: 2 } }));
      await frame();
      expect(shown().items).toEqual([1, 2, 3]);
      await act(async () => {
        void shown().loadMore();
      });
      await act(async () => fake.queries[1]?.answer([4]));
      await frame();
      expect(shown()).toMatchObject({ items: [1, 2, 3, 4], hasMore: false });
      expect(fake.queries).toHaveLength(2);
      expect(shown()).toMatchObject({ loadMore, restart });
    });

    it('leaves nothing behind if it is unmounted while it loads', async () => {
      await render(() => list());
      await unmount();
      expect(fake.queries.map(({ signal }) => signal?.aborted)).toEqual([true]);
      expect(fake.identityListeners.size).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('loads nothing while it is skipped', async () => {
      const shown = await render(() => list(true));
      expect(shown()).toMatchObject({ items: [], loading: false });
      await act(() => shown().loadMore());
      expect(fake.queries).toEqual([]);
    });
  });

  it('useConnection shows the state of the client', async () => {
    const shown = await render(() => useConnection());
    expect(shown()).toEqual({ state: 'connecting', reason: null });
    const reason = new ClientError('offline', { code: 'NETWORK_ERROR' });
    await act(() => {
      Object.assign(fake, { state: 'offline', stateReason: reason });
      for (const listener of fake.stateListeners) (listener as () => void)();
    });
    expect(shown()).toEqual({ state: 'offline', reason });
  });

  it('start nothing on a server', () => {
    const Component = (): ReactNode => `${useLive(CHANGES).state} ${useConnection().state}`;
    const element = createElement(LiveProvider, { client: fake.client }, createElement(Component));
    expect(renderToString(element)).toBe('connecting connecting');
    expect(fake.subscriptions).toEqual([]);
  });

  it('say that a LiveProvider is missing', () => {
    const Component = (): ReactNode => useLive(CHANGES).state;
    expect(() => renderToString(createElement(Component))).toThrow('<LiveProvider>');
  });
});
