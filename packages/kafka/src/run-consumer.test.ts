import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import { describe, expect, it, vi } from 'vitest';
import { runConsumer } from './run-consumer.ts';

/** Runs a stand-in for kafkajs's consumer. */
function run() {
  const emitter = new EventEmitter();
  const connect = vi.fn(async () => {});
  const consumer = {
    events: { CRASH: 'crash', GROUP_JOIN: 'join', FETCH: 'fetch' },
    on: (event: string, listener: (event: object) => void) => emitter.on(event, listener),
    connect,
  } as unknown as Consumer;
  const stopping = new AbortController();
  const failed = vi.fn();
  const parts = { prepare: vi.fn(async () => {}), run: vi.fn(async () => {}) };
  const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn() };
  const { state } = runConsumer(
    {
      kafka: { ready: Promise.resolve(), failed },
      consumer,
      name: 'The consumer of orders',
      signal: stopping.signal,
      log,
    },
    parts,
  );
  const crash = (restart: boolean, error: Error): boolean =>
    emitter.emit('crash', { payload: { restart, error } });
  const fetch = (): boolean => emitter.emit('fetch', {});
  return { ...parts, connect, failed, crash, fetch, stopping, state, log };
}

const named = (name: string, cause?: Error): Error =>
  Object.assign(new Error(name, { cause }), { name });
const noBroker = named('KafkaJSNonRetriableError', named('KafkaJSGroupCoordinatorNotFound'));

describe('runConsumer', () => {
  it('reconnects until `prepare` has resolved, and does not call `prepare` again afterwards', async () => {
    const { connect, prepare, run: ran, crash } = run();
    prepare.mockRejectedValueOnce(new Error('no broker'));
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(false, noBroker);
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    expect(prepare).toHaveBeenCalledTimes(2);
    expect(connect).toHaveBeenCalledTimes(3);
  });

  it.each([
    ['no broker answered', noBroker],
    [
      'authentication failed, as during a change of the password',
      named('KafkaJSNonRetriableError', named('KafkaJSSASLAuthenticationError')),
    ],
  ])('restarts after kafkajs gave up because %s, and stays ready', async (_name, error) => {
    const { run: ran, failed, crash, state } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(false, error);
    expect(state()).toEqual({ state: 'ok' });
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    expect(failed).toHaveBeenCalledExactlyOnceWith(error);
  });

  it('does not restart a consumer that kafkajs itself restarts', async () => {
    const { run: ran, connect, crash } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(true, noBroker);
    await new Promise(setImmediate);
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('restarts a consumer after a fault, and reports down until a fetch at least 10 s after the fault', async () => {
    const { run: ran, crash, fetch, state, log } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(false, named('KafkaJSNonRetriableError', new Error('no codec')));
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    const down = { state: 'down', reason: 'The consumer of orders is stopped: no codec' };
    fetch();
    expect(state()).toEqual(down);
    expect(log.warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(down.reason));
    vi.useFakeTimers({ now: Date.now() + 11_000 });
    expect(state()).toEqual(down);
    fetch();
    vi.useRealTimers();
    expect(state()).toEqual({ state: 'ok' });
    expect(log.info).toHaveBeenCalledTimes(1);
  });

  it('reports down for a fault even if kafkajs itself restarts the consumer', async () => {
    const { run: ran, crash, state } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(true, named('KafkaJSNumberOfRetriesExceeded', new Error('damaged')));
    expect(state()).toMatchObject({ state: 'down' });
  });

  it('does not restart a consumer after the stop', async () => {
    const { run: ran, crash, stopping, failed } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    stopping.abort();
    crash(false, named('KafkaJSNonRetriableError', new TypeError('a fault')));
    await new Promise(setImmediate);
    expect(ran).toHaveBeenCalledTimes(1);
    expect(failed).not.toHaveBeenCalled();
  });
});
