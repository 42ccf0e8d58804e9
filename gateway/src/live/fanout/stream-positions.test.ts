import { afterEach, describe, expect, it, vi } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;
const first = ({ upstream }: Rig) => upstream.streams[0] as Rig['upstream']['streams'][0];

/** Joins with a client that receives positions. */
const joinWith = ({ join }: Rig, after?: string) => join(after, undefined, true, true);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a client that receives positions', () => {
  it('receives the first position of a stream that has none yet, after earlier events', async () => {
    const rig = startStreamRig();
    const { upstream, join } = rig;
    const client = joinWith(rig);
    const other = join();
    upstream.append('a');
    upstream.advance(first(rig));
    upstream.report(first(rig));
    upstream.append('b');
    upstream.advance(first(rig));
    upstream.report(first(rig));
    await settled();
    expect(client.order).toEqual([1, 'at c1', 2]);
    expect(other.order).toEqual([1, 2]);
  });

  it('receives the position of a running stream at once', async () => {
    const rig = startStreamRig();
    const { upstream, join } = rig;
    join();
    upstream.append('a');
    upstream.advance(first(rig));
    upstream.report(first(rig));
    await settled();
    const client = joinWith(rig);
    expect(client.order).toEqual(['at c1']);
    upstream.append('b');
    upstream.advance(first(rig));
    await settled();
    expect(client.order).toEqual(['at c1', 2]);
  });

  it('receives the position when it has caught up, from the replay buffer', async () => {
    const rig = startStreamRig();
    const { upstream, join } = rig;
    join();
    upstream.report(first(rig));
    for (const key of ['a', 'b', 'c']) upstream.append(key);
    upstream.advance(first(rig));
    upstream.report(first(rig));
    await settled();
    expect(joinWith(rig, 'c1').order).toEqual([2, 3, 'at c3']);
    expect(joinWith(rig, 'c3').order).toEqual(['at c3']);
  });

  it('receives the position when it has caught up, ahead of the stream', async () => {
    const rig = startStreamRig();
    const { upstream, join } = rig;
    join();
    for (const key of ['a', 'b', 'c', 'd']) upstream.append(key);
    const client = joinWith(rig, 'c0');
    await settled();
    const [stream, catchUp] = upstream.streams as [Rig['upstream']['streams'][0], never];
    upstream.report(catchUp);
    upstream.advance(catchUp, 3);
    await settled();
    expect(client.order).toEqual([1, 2, 3]);
    stream.at = 0;
    upstream.report(stream);
    upstream.advance(stream, 2);
    await settled();
    // The stream is at the second event, but the client has received the third one.
    expect(client.order).toEqual([1, 2, 3, 'at c3']);
    upstream.report(stream);
    upstream.advance(stream);
    await settled();
    expect(client.order).toEqual([1, 2, 3, 'at c3', 4]);
  });

  it('receives the position of a quiet stream once per minute', async () => {
    let now = 1_000_000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const rig = startStreamRig();
    const { upstream } = rig;
    const client = joinWith(rig);
    const report = async (seconds: number): Promise<void> => {
      now += seconds * 1_000;
      upstream.report(first(rig));
      await settled();
    };
    await report(1);
    await report(2);
    expect(client.order).toEqual(['at c0']);
    await report(60);
    expect(client.order).toEqual(['at c0', 'at c0']);
    upstream.append('a');
    upstream.advance(first(rig));
    await settled();
    await report(59);
    expect(client.order).toEqual(['at c0', 'at c0', 1]);
    await report(1);
    expect(client.order).toEqual(['at c0', 'at c0', 1, 'at c1']);
  });

  it('receives no position while a snapshot is sent', async () => {
    const rig = startStreamRig();
    const { upstream } = rig;
    const client = joinWith(rig);
    upstream.announce(first(rig), 'begin');
    upstream.append('a');
    upstream.advance(first(rig));
    upstream.announce(first(rig), 'end');
    await settled();
    expect(client.order).toEqual(['begin', 1, 'end']);
    const late = joinWith(rig);
    expect(late.order).toEqual([]);
    upstream.report(first(rig));
    await settled();
    expect(client.order).toEqual(['begin', 1, 'end', 'at c1']);
    expect(late.order).toEqual(['at c1']);
  });

  it('receives no position between an event and a replacement of an earlier event', async () => {
    const rig = startStreamRig();
    const { upstream } = rig;
    const client = joinWith(rig);
    // Events are conflated above 1,000 waiting ones. The last `a` replaces those before the `b`.
    const burst = (key: string, count: number): void => {
      for (let event = 0; event < count; event += 1) upstream.append(key);
      upstream.advance(first(rig));
    };
    burst('a', 600);
    burst('b', 1);
    upstream.report(first(rig));
    burst('a', 400);
    upstream.report(first(rig));
    await settled();
    expect(client.order).toEqual([1, 601, 1_001, 'at c1001']);
    expect(client.messages.map(({ extensions }) => extensions?.live)).toEqual([
      { cursor: 'c1' },
      { more: true },
      { cursor: 'c1001', conflated: 998 },
      { cursor: 'c1001' },
    ]);
  });
});
