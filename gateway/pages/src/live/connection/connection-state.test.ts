import {
  ClientError,
  type ConnectionState as ClientState,
  type StateListener,
} from '@gudang/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createConnectionState } from './connection-state.ts';

let change: (state: ClientState, reason?: ClientError | null) => void;
let onConnected: ReturnType<typeof vi.fn<() => void>>;
let state: ReturnType<typeof createConnectionState>;

beforeEach(() => {
  vi.useFakeTimers();
  onConnected = vi.fn();
  state = createConnectionState(
    {
      onState: (listener: StateListener) => {
        change = (next, reason = null) => listener(next, reason);
        return () => {};
      },
    },
    onConnected,
  );
});
afterEach(() => void vi.useRealTimers());

it('counts each stock that changed while the page was disconnected, and reports the number for 8 s', () => {
  change('live');
  state.countMissed([{ id: 'a' }]);
  change('offline');
  change('connecting');
  change('catching-up');
  expect(state.isCatchingUp()).toBe(true);
  state.countMissed([{ id: 'a' }, { id: 'b' }]);
  // The batch that waits for the next frame is shown first, so that it counts.
  onConnected.mockImplementation(() => state.countMissed([{ id: 'b' }, { id: 'c' }]));
  change('live');
  expect(state.connection.get().caughtUp).toBe(3);
  expect(state.isCatchingUp()).toBe(false);
  vi.advanceTimersByTime(8_000);
  expect(state.connection.get().caughtUp).toBeUndefined();
});

it('reports nothing after the first connection', () => {
  change('connecting');
  change('catching-up');
  change('live');
  expect(onConnected).not.toHaveBeenCalled();
  expect(state.connection.get()).toMatchObject({ state: 'live', wasLive: true });
});

it('keeps the time of the last update while several attempts fail', () => {
  change('live');
  vi.advanceTimersByTime(1_000);
  change('offline');
  const { since } = state.connection.get();
  vi.advanceTimersByTime(1_000);
  change('connecting');
  change('offline');
  expect(state.connection.get().since).toBe(since);
});

it('gives the reason of a gateway that answers, and none if it does not answer', () => {
  const errors = [{ message: 'Too many operations' }];
  change('offline', new ClientError('Too many operations', { code: 'RATE_LIMITED', errors }));
  expect(state.connection.get().rejection).toBe('Too many operations.');
  change('offline', new ClientError('The server cannot be reached', { code: 'NETWORK_ERROR' }));
  expect(state.connection.get().rejection).toBeUndefined();
});
