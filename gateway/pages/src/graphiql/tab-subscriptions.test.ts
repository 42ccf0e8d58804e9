import type { Fetcher, Observable } from '@graphiql/toolkit';
import type { ExecutionResult } from 'graphql';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Sink } from './tab-subscription.ts';
import { TabSubscriptions } from './tab-subscriptions.ts';

const WATCH = 'subscription Watch { x }';

/** GraphiQL's behavior, as far as it concerns subscriptions. */
class FakeGraphiql {
  readonly shownIn = new Map<string, (ExecutionResult | string)[]>();
  tabs = ['watch', 'order'];
  active = 0;
  editors: Record<string, string> = { watch: WATCH, order: 'mutation Order { y }' };
  canRun = true;
  isFetching = false;
  #subscription: { unsubscribe: () => void } | null = null;
  readonly #streams: TabSubscriptions;

  constructor(streams: TabSubscriptions) {
    this.#streams = streams;
    streams.setTabs(this.#state());
  }

  #state() {
    return { tabs: this.tabs.map((id) => ({ id })), activeTabIndex: this.active };
  }

  get tab(): string {
    return this.tabs[this.active] ?? '';
  }

  get isRunning(): boolean {
    return this.#subscription !== null;
  }

  readonly stop = (): void => {
    this.#subscription?.unsubscribe();
    this.#subscription = null;
  };

  readonly run = async (): Promise<void> => {
    if (this.#subscription) return this.stop();
    if (!this.canRun) return;
    const show = (result: ExecutionResult | string): void => {
      this.shownIn.set(this.tab, [...(this.shownIn.get(this.tab) ?? []), result]);
    };
    const value = await this.#streams.fetcher({ query: this.editors[this.tab] ?? '' }, {});
    if (!('subscribe' in value)) return show(value as ExecutionResult);
    this.#subscription = (value as Observable<ExecutionResult>).subscribe({
      next: show,
      error: (error) => {
        show(`error ${error}`);
        this.#subscription = null;
      },
      complete: () => {
        this.#subscription = null;
      },
    });
  };

  async show(index: number): Promise<void> {
    this.stop();
    this.active = index;
    this.#streams.setTabs(this.#state());
    await this.#rendered();
  }

  /** GraphiQL does not stop the subscription when a tab is added. */
  async add(id: string): Promise<void> {
    this.tabs = [...this.tabs, id];
    this.active = this.tabs.length - 1;
    this.#streams.setTabs(this.#state());
    await this.#rendered();
  }

  async close(index: number): Promise<void> {
    if (index === this.active) this.stop();
    this.tabs = this.tabs.filter((_tab, at) => at !== index);
    this.active = index > this.active ? this.active : Math.max(this.active - 1, 0);
    this.#streams.setTabs(this.#state());
    await this.#rendered();
  }

  async #rendered(): Promise<void> {
    this.#streams.tabShown(this);
    await vi.waitFor(() => {});
  }
}

const fetch = vi.fn<Fetcher>(() => ({ data: { y: 1 } }));
let sinks: Sink[];
let stopped: number;
let streams: TabSubscriptions;
let graphiql: FakeGraphiql;
const event = (n: number): ExecutionResult => ({ data: { n } });

beforeEach(async () => {
  sinks = [];
  stopped = 0;
  streams = new TabSubscriptions(fetch, (_operation, _headers, sink) => {
    sinks.push(sink);
    return () => {
      stopped += 1;
    };
  });
  graphiql = new FakeGraphiql(streams);
  await graphiql.run();
  sinks[0]?.next(event(1));
});

it('keeps a subscription running while another tab is shown, and shows its newest result afterwards', async () => {
  await graphiql.show(1);
  expect([stopped, graphiql.isRunning]).toEqual([0, false]);
  await graphiql.run();
  sinks[0]?.next(event(2));
  sinks[0]?.next(event(3));
  expect(streams.hidden()).toEqual([{ tab: 'watch', results: 3, hasEnded: false }]);
  await graphiql.show(0);
  expect(graphiql.isRunning).toBe(true);
  sinks[0]?.next(event(4));
  expect(graphiql.shownIn.get('watch')).toEqual([event(1), event(3), event(4)]);
  expect(graphiql.shownIn.get('order')).toEqual([{ data: { y: 1 } }]);
  expect(streams.hidden()).toEqual([]);
  expect([sinks.length, stopped]).toEqual([1, 0]);
});

it('stops a subscription when the user stops it, and starts another one afterwards', async () => {
  await graphiql.run();
  await vi.waitFor(() => expect(stopped).toBe(1));
  await graphiql.run();
  expect(sinks).toHaveLength(2);
});

it('runs a subscription in each tab', async () => {
  graphiql.editors['order'] = 'subscription Other { z }';
  await graphiql.show(1);
  await graphiql.run();
  await graphiql.show(0);
  sinks[0]?.next(event(2));
  sinks[1]?.next(event(9));
  expect(graphiql.shownIn.get('watch')).toEqual([event(1), event(1), event(2)]);
  expect(streams.hidden()).toEqual([{ tab: 'order', results: 1, hasEnded: false }]);
  expect([sinks.length, stopped]).toEqual([2, 0]);
});

it('does not show results in a tab that is added while they arrive', async () => {
  await graphiql.add('new');
  sinks[0]?.next(event(2));
  expect(graphiql.shownIn.get('new')).toBeUndefined();
  expect([graphiql.isRunning, stopped]).toEqual([false, 0]);
  await graphiql.show(0);
  expect(graphiql.shownIn.get('watch')).toEqual([event(1), event(2)]);
});

it('stops the subscription of a tab that is closed, shown or hidden', async () => {
  await graphiql.close(0);
  expect([stopped, streams.hidden().length]).toEqual([1, 0]);
  graphiql.editors['order'] = WATCH;
  await graphiql.run();
  await graphiql.add('new');
  await graphiql.close(0);
  expect([stopped, streams.hidden().length]).toEqual([2, 0]);
});

it.each([
  ['an error', () => sinks[0]?.error('gone'), ['error gone']],
  ['the end', () => sinks[0]?.complete(), []],
])('shows %s of a hidden subscription when its tab is shown', async (_what, end, last) => {
  await graphiql.show(1);
  end();
  expect(streams.hidden()[0]?.hasEnded).toBe(true);
  await graphiql.show(0);
  expect(graphiql.shownIn.get('watch')).toEqual([event(1), event(1), ...last]);
  expect([graphiql.isRunning, streams.hidden().length]).toEqual([false, 0]);
  await graphiql.run();
  expect(sinks).toHaveLength(2);
});

it('stops a hidden subscription if its tab cannot run, because its variables are invalid', async () => {
  await graphiql.show(1);
  graphiql.canRun = false;
  await graphiql.show(0);
  expect([stopped, graphiql.isRunning]).toEqual([1, false]);
});

it('starts the named subscription of a text, or the only operation if the name is of another tab', () => {
  const start = vi.fn((_operation: unknown) => () => {});
  const other = new TabSubscriptions(fetch, start);
  const send = (query: string, operationName: string) =>
    (other.fetcher({ query, operationName }) as Observable<ExecutionResult>).subscribe({
      next: () => {},
      error: () => {},
      complete: () => {},
    });
  send(WATCH, 'Order');
  send(`${WATCH} query Other { y ...f } fragment f on Query { z }`, 'Watch');
  expect(start.mock.calls.map(([operation]) => operation)).toEqual([
    { query: WATCH, variables: undefined },
    { query: 'subscription Watch {\n  x\n}', variables: undefined },
  ]);
  void other.fetcher({ query: `${WATCH} query Other { y }`, operationName: 'Other' });
  expect(fetch).toHaveBeenLastCalledWith(
    expect.objectContaining({ operationName: 'Other' }),
    undefined,
  );
});
