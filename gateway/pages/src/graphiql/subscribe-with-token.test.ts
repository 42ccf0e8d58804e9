import type { LiveEvent, SubscribeHandlers } from '@gudang/client';
import { beforeEach, expect, it, vi } from 'vitest';
import { subscribeWithToken } from './subscribe-with-token.ts';
import type { Subscribe } from './tab-subscriptions.ts';

const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
const stop = vi.fn();
let tokens: (string | null)[];
let handlers: SubscribeHandlers<unknown>;
let start: Subscribe;

beforeEach(() => {
  vi.clearAllMocks();
  tokens = [];
  start = subscribeWithToken((token) => {
    tokens.push(token);
    return {
      subscribe: (_query: unknown, _variables: unknown, given: unknown) => {
        handlers = given as SubscribeHandlers<unknown>;
        return stop as never;
      },
    };
  });
});

const run = (headers: Record<string, unknown>) =>
  start({ query: 'subscription { x }' }, headers, sink);

it('has one client for each token, with any case of the header name', () => {
  run({});
  run({ accept: 'x', authorization: '' });
  run({ Authorization: 'Bearer a' });
  run({ authorization: 'Bearer a' });
  run({ authorization: 'b' });
  expect(tokens).toEqual([null, 'a', 'b']);
});

it('shows events, their errors, and the markers of snapshots as the gateway sends them', () => {
  run({});
  const event = { data: { x: 1 }, cursor: 'c', conflated: 0 };
  const errors = [{ message: 'y failed' }];
  const snapshot = { phase: 'begin', complete: true, reset: false } as const;
  const marker = { data: null, cursor: null, conflated: 0, snapshot } as const;
  const events: LiveEvent<unknown>[] = [event, { ...event, conflated: 3, errors }, marker];
  for (const each of events) handlers.next(each);
  expect(sink.next.mock.calls.map(([result]) => result)).toEqual([
    { data: { x: 1 } },
    { data: { x: 1 }, errors, extensions: { live: { conflated: 3 } } },
    { data: null, extensions: { live: { snapshot } } },
  ]);
});

it('ends with an error if the token is refused, instead of trying again', async () => {
  run({ authorization: 'Bearer a' });
  const reason = new Error('The token is invalid');
  handlers.state?.('refused', reason as never);
  handlers.state?.('refused', reason as never);
  await Promise.resolve();
  expect(stop).toHaveBeenCalledOnce();
  expect(sink.error.mock.calls).toEqual([[reason]]);
});
