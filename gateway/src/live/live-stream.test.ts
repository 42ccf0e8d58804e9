import type { FormattedExecutionResult } from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { startLiveStream } from './live-stream.ts';
import type { UpstreamSink } from './subgraph-link.ts';

function start(execute = async (event: FormattedExecutionResult) => event) {
  let sink: UpstreamSink | undefined;
  const closeUpstream = vi.fn();
  const onEnd = vi.fn();
  const delivered: number[] = [];
  const stream = startLiveStream({
    subscribe: (given) => {
      sink = given;
      return closeUpstream;
    },
    execute,
    onEvent: () => {},
    onDelivered: (subscribers) => delivered.push(subscribers),
    onEnd,
  });
  return { stream, sink: sink as UpstreamSink, closeUpstream, onEnd, delivered };
}

function listener() {
  const heard: string[] = [];
  return {
    heard,
    next: (payload: string) => void heard.push(payload),
    error: () => void heard.push('error'),
    complete: () => void heard.push('complete'),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a live stream', () => {
  it('hands one payload to all, and lives until the last one has left', async () => {
    const { stream, sink, closeUpstream, onEnd, delivered } = start();
    const [a, b] = [listener(), listener()];
    const leaveA = stream.join(a);
    const leaveB = stream.join(b);
    sink.next({ data: { n: 1 } });
    await settled();
    leaveA();
    leaveA();
    expect(closeUpstream).not.toHaveBeenCalled();
    sink.next({ data: { n: 2 } });
    await settled();
    leaveB();
    expect(a.heard).toEqual(['{"data":{"n":1}}']);
    expect(b.heard).toEqual(['{"data":{"n":1}}', '{"data":{"n":2}}']);
    expect(delivered).toEqual([2, 1]);
    expect(closeUpstream).toHaveBeenCalledTimes(1);
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  it('runs one event at a time, keeps their order, and ends after the last of them', async () => {
    const releases: (() => void)[] = [];
    const { stream, sink } = start(
      (event) => new Promise((resolve) => releases.push(() => resolve(event))),
    );
    const a = listener();
    stream.join(a);
    sink.next({ data: { n: 1 } });
    sink.next({ data: { n: 2 } });
    sink.complete();
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await settled();
    expect(a.heard).toEqual(['{"data":{"n":1}}']);
    releases[1]?.();
    await settled();
    expect(a.heard).toEqual(['{"data":{"n":1}}', '{"data":{"n":2}}', 'complete']);
  });

  it('says nothing to one that left while its event was executed', async () => {
    let release = (): void => {};
    const { stream, sink, closeUpstream } = start(
      (event) => new Promise((resolve) => (release = () => resolve(event))),
    );
    const a = listener();
    const leave = stream.join(a);
    sink.next({ data: { n: 1 } });
    leave();
    release();
    await settled();
    expect(a.heard).toEqual([]);
    expect(closeUpstream).toHaveBeenCalledTimes(1);
  });

  it('can be joined until its first event, and not once it is over', () => {
    const fresh = start();
    fresh.stream.join(listener());
    expect(fresh.stream.joinable()).toBe(true);
    fresh.sink.next({ data: null });
    expect(fresh.stream.joinable()).toBe(false);
    const left = start();
    left.stream.join(listener())();
    expect(left.stream.joinable()).toBe(false);
  });

  it("gives everyone the subgraph's error, as the last thing", async () => {
    const { stream, sink, closeUpstream } = start();
    const listeners = [listener(), listener()];
    for (const one of listeners) stream.join(one);
    sink.error([{ message: 'no' }]);
    await settled();
    expect(listeners.map(({ heard }) => heard)).toEqual([['error'], ['error']]);
    expect(closeUpstream).toHaveBeenCalledTimes(1);
  });
});
