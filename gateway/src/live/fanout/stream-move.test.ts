import { describe, expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;

const streamAt = ({ upstream }: Rig, index: number) => {
  const stream = upstream.streams[index];
  if (!stream) throw new Error(`no stream ${index}`);
  return stream;
};

describe('a shared stream that moves to another run', () => {
  it('continues from its cursor, even during a catch-up', async () => {
    const rig = startStreamRig();
    for (const key of ['a', 'b', 'c', 'd']) rig.upstream.append(key);
    const live = rig.join();
    const late = rig.join('c0');
    await settled();
    rig.upstream.advance(streamAt(rig, 1), 2);
    await settled();
    rig.stream.move(rig.runOf('second'));
    expect(rig.upstream.streams.map(({ after }) => after)).toEqual([undefined, 'c2']);
    rig.upstream.append('e');
    rig.upstream.report(streamAt(rig, 0));
    for (const stream of [...rig.upstream.streams]) rig.upstream.advance(stream);
    rig.upstream.append('f');
    for (const stream of [...rig.upstream.streams]) rig.upstream.advance(stream);
    await settled();
    expect(late.numbers()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(live.numbers()).toEqual([5, 6]);
    expect(rig.state.ended).toBe(0);
  });

  it('keeps its subscription when the new run receives the same events', async () => {
    const rig = startStreamRig();
    rig.join();
    const before = streamAt(rig, 0);
    rig.stream.move(rig.runOf('first'));
    expect(rig.upstream.streams).toEqual([before]);
  });

  it('executes earlier events with the old run and later ones with the new run', async () => {
    const open: (() => void)[] = [];
    const rig = startStreamRig({
      execute: (event) => new Promise((resolve) => open.push(() => resolve(event))),
    });
    const client = rig.join();
    rig.upstream.append('a');
    rig.upstream.advance(streamAt(rig, 0));
    rig.stream.move({
      ...rig.runOf('second'),
      execute: async () => [{ data: { changed: { key: 'new', n: 0 } } }],
    });
    rig.upstream.append('b');
    rig.upstream.advance(streamAt(rig, 0));
    for (const go of open) go();
    await settled();
    expect(client.got).toEqual([
      { key: 'a', n: 1 },
      { key: 'new', n: 0 },
    ]);
  });

  it('does not repeat cached values', async () => {
    const rig = startStreamRig({ resumable: false, retained: 10 });
    const client = rig.join();
    rig.upstream.append('a');
    rig.upstream.advance(streamAt(rig, 0));
    await settled();
    rig.stream.move(rig.runOf('second'));
    streamAt(rig, 0).at = 0;
    rig.upstream.advance(streamAt(rig, 0));
    rig.upstream.append('a');
    rig.upstream.advance(streamAt(rig, 0));
    await settled();
    expect(client.numbers()).toEqual([1, 2]);
  });
});

it('a resubscribed stream has no position before the next position report', async () => {
  const rig = startStreamRig();
  rig.join();
  rig.upstream.append('a');
  rig.upstream.advance(streamAt(rig, 0));
  rig.upstream.report(streamAt(rig, 0));
  await settled();
  rig.stream.move(rig.runOf('second'));
  // These events are a snapshot. A subscription that continues after one of their cursors receives
  // the snapshot again, so these cursors are not positions of the stream.
  for (const key of ['x', 'y', 'z']) rig.upstream.append(key);
  rig.upstream.advance(streamAt(rig, 0), 2);
  await settled();
  const cut = rig.join('c2');
  await settled();
  expect(rig.upstream.streams).toHaveLength(2);
  expect(streamAt(rig, 1).after).toBe('c2');
  cut.leave();
});
