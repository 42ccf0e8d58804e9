import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import { describe, expect, it, vi } from 'vitest';
import { runConsumer } from './run-consumer.ts';

/** A consumer that does nothing by itself, run as a service runs it. */
function run() {
  const emitter = new EventEmitter();
  const connect = vi.fn(async () => {});
  const consumer = {
    events: { CRASH: 'crash', GROUP_JOIN: 'join' },
    on: (event: string, listener: (event: object) => void) => emitter.on(event, listener),
    connect,
  } as unknown as Consumer;
  const stopping = new AbortController();
  const fail = vi.fn();
  const failed = vi.fn();
  const parts = { prepare: vi.fn(async () => {}), run: vi.fn(async () => {}) };
  const log = { debug: () => {} };
  runConsumer(
    {
      kafka: { ready: Promise.resolve(), failed },
      consumer,
      name: 'it',
      signal: stopping.signal,
      log,
      fail,
    },
    parts,
  );
  const crash = (restart: boolean, error: Error): boolean =>
    emitter.emit('crash', { payload: { restart, error } });
  return { ...parts, connect, fail, failed, crash, stopping };
}

const named = (name: string, cause?: Error): Error =>
  Object.assign(new Error(name, { cause }), { name });
const noBroker = named('KafkaJSNonRetriableError', named('KafkaJSGroupCoordinatorNotFound'));

describe('a running consumer', () => {
  it('is connected again until it can be prepared, and prepared once', async () => {
    const { connect, prepare, run: ran, crash } = run();
    prepare.mockRejectedValueOnce(new Error('no broker'));
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(false, noBroker);
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    expect(prepare).toHaveBeenCalledTimes(2);
    expect(connect).toHaveBeenCalledTimes(3);
  });

  it('goes on after kafkajs gave it up because no broker answered', async () => {
    const { run: ran, fail, crash } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(false, noBroker);
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    expect(fail).not.toHaveBeenCalled();
  });

  it('goes on after it was not let in, as while a password is changed, and says why', async () => {
    const { run: ran, fail, failed, crash } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    const refused = named('KafkaJSNonRetriableError', named('KafkaJSSASLAuthenticationError'));
    crash(false, refused);
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(2));
    expect(failed).toHaveBeenCalledExactlyOnceWith(refused);
    expect(fail).not.toHaveBeenCalled();
  });

  it('is left to kafkajs when that restarts it', async () => {
    const { run: ran, connect, crash } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    crash(true, noBroker);
    await new Promise(setImmediate);
    expect(connect).toHaveBeenCalledTimes(1);
  });

  it('ends its process after any other crash, and none once it stops', async () => {
    const { run: ran, fail, crash, stopping } = run();
    await vi.waitFor(() => expect(ran).toHaveBeenCalledTimes(1));
    const fault = named('KafkaJSNonRetriableError', new TypeError('a fault'));
    crash(false, fault);
    expect(fail).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('it crashed'), fault);
    stopping.abort();
    crash(false, fault);
    expect(fail).toHaveBeenCalledTimes(1);
    expect(ran).toHaveBeenCalledTimes(1);
  });
});
