import { describe, expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

type Rig = ReturnType<typeof startStreamRig>;

function publish({ upstream }: Rig, ...keys: string[]): void {
  for (const key of keys) upstream.append(key);
  for (const stream of [...upstream.streams]) upstream.advance(stream);
}

const shared = ({ upstream }: Rig) => upstream.streams[0] as (typeof upstream.streams)[number];
const own = ({ upstream }: Rig) => upstream.streams[1] as (typeof upstream.streams)[number];

describe('a shared stream', () => {
  it('delivers later events to late subscribers too, and ends when its last client leaves', async () => {
    const rig = startStreamRig();
    const early = rig.join();
    publish(rig, 'a');
    await settled();
    const late = rig.join();
    publish(rig, 'b');
    await settled();
    expect(early.numbers()).toEqual([1, 2]);
    expect(late.numbers()).toEqual([2]);
    early.leave();
    early.leave();
    publish(rig, 'a');
    await settled();
    expect(late.numbers()).toEqual([2, 3]);
    expect(early.numbers()).toEqual([1, 2]);
    late.leave();
    expect(rig.upstream.streams).toHaveLength(0);
    expect(rig.state.ended).toBe(1);
    expect(rig.stream.isJoinable).toBe(false);
  });

  it('completes for all clients after the last event when the subgraph completes it', async () => {
    const rig = startStreamRig();
    const clients = [rig.join(), rig.join('c0')];
    await settled();
    publish(rig, 'a');
    shared(rig).sink.complete();
    await settled();
    expect(clients[0]?.numbers()).toEqual([1]);
    expect(clients.map(({ ends }) => ends)).toEqual([['complete'], ['complete']]);
    expect(rig.upstream.streams).toHaveLength(0);
  });

  it('accepts no client after its first event if its field has no stream directives', async () => {
    const rig = startStreamRig({ conflates: false, resumable: false });
    rig.join();
    expect(rig.stream.isJoinable).toBe(true);
    publish(rig, 'a');
    expect(rig.stream.isJoinable).toBe(false);
  });
});

describe('a stream with a last-value cache', () => {
  it('sends the last values to late subscribers first', async () => {
    const rig = startStreamRig({ resumable: false, retained: 10 });
    rig.join();
    publish(rig, 'a', 'b', 'a');
    await settled();
    expect(rig.join().numbers()).toEqual([2, 3]);
  });

  it('accepts no new client after the cache has exceeded its limit', async () => {
    const rig = startStreamRig({ resumable: false, retained: 2 });
    rig.join();
    publish(rig, 'a', 'b');
    await settled();
    expect(rig.stream.isJoinable).toBe(true);
    publish(rig, 'c');
    await settled();
    expect(rig.stream.isJoinable).toBe(false);
  });

  it('drops values that a resubscription repeats, and delivers new values', async () => {
    const rig = startStreamRig({ resumable: false, retained: 10 });
    const client = rig.join();
    publish(rig, 'a', 'b');
    await settled();
    shared(rig).resubscribe();
    shared(rig).at = 0;
    publish(rig, 'b');
    await settled();
    expect(client.numbers()).toEqual([1, 2, 3]);
  });
});

describe('a resumable stream', () => {
  it('replays missed events to a client, which then joins at a reported position', async () => {
    const rig = startStreamRig();
    publish(rig, 'a', 'b', 'c');
    rig.join();
    const back = rig.join('c1');
    await settled();
    expect(own(rig).after).toBe('c1');
    rig.upstream.advance(own(rig));
    await settled();
    expect(back.numbers()).toEqual([2, 3]);
    expect(rig.upstream.streams).toHaveLength(2);
    // The subgraph sends no event here; it only reports its position.
    rig.upstream.report(own(rig));
    rig.upstream.report(shared(rig));
    await settled();
    expect(rig.upstream.streams).toHaveLength(1);
    publish(rig, 'a');
    await settled();
    expect(back.numbers()).toEqual([2, 3, 4]);
  });

  it('lets a client join at the first common cursor if the subgraph reports no positions', async () => {
    const rig = startStreamRig({ reportsPositions: false });
    const before = rig.join();
    const back = rig.join('c0');
    await settled();
    publish(rig, 'a', 'b');
    await settled();
    publish(rig, 'c');
    await settled();
    expect(rig.upstream.streams).toHaveLength(1);
    publish(rig, 'd');
    await settled();
    expect(back.numbers()).toEqual([1, 2, 3, 4]);
    expect(before.numbers()).toEqual([1, 2, 3, 4]);
  });

  it('opens no upstream for a cursor in the replay buffer', async () => {
    const rig = startStreamRig({ reportsPositions: false });
    rig.join();
    publish(rig, 'a', 'b', 'c');
    await settled();
    expect(rig.join('c1').numbers()).toEqual([2, 3]);
    expect(rig.upstream.streams).toHaveLength(1);
  });

  it('shares one catch-up among clients with the same cursor', async () => {
    const rig = startStreamRig();
    publish(rig, 'a', 'b');
    const clients = [rig.join('c1'), rig.join('c1')];
    await settled();
    expect(rig.upstream.streams).toHaveLength(2);
    rig.upstream.advance(own(rig));
    await settled();
    expect(clients.map((client) => client.numbers())).toEqual([[2], [2]]);
  });

  it('limits the number of concurrent catch-ups, and starts the next one when one ends', async () => {
    const rig = startStreamRig({ catchUps: 1 });
    publish(rig, 'a', 'b');
    const clients = [rig.join('c0'), rig.join('c1'), rig.join('c2')];
    await settled();
    expect(rig.upstream.streams.map(({ after }) => after)).toEqual([undefined, 'c0']);
    clients[0]?.leave();
    await settled();
    expect(rig.upstream.streams.map(({ after }) => after)).toEqual([undefined, 'c1']);
    for (const client of clients) client.leave();
    await settled();
    expect(rig.upstream.streams).toHaveLength(0);
    expect(rig.state.ended).toBe(1);
  });

  it('ends only the client whose cursor the subgraph rejects', async () => {
    const rig = startStreamRig();
    const alive = rig.join();
    const bad = rig.join('c0');
    await settled();
    own(rig).sink.error([{ message: 'no cursor of ours' }]);
    await settled();
    expect(bad.ends).toEqual(['no cursor of ours']);
    expect(alive.ends).toEqual([]);
    expect(rig.upstream.streams).toHaveLength(1);
  });

  it('does not let a client join between events that share a cursor', async () => {
    const rig = startStreamRig({ reportsPositions: false });
    rig.join();
    const back = rig.join('c0');
    await settled();
    const snapshot = (n: number, cursor: string) => ({
      data: { changed: { key: `k${n}`, n, cursor } },
    });
    // Both upstreams send a snapshot of three rows. The shared upstream is ahead of the catch-up's.
    for (const n of [1, 2]) shared(rig).sink.next(snapshot(n, 'again'), false, 100);
    own(rig).sink.next(snapshot(1, 'again'), false, 100);
    await settled();
    expect(rig.upstream.streams).toHaveLength(2);
    shared(rig).sink.next(snapshot(3, 'end'), false, 100);
    own(rig).sink.next(snapshot(2, 'again'), false, 100);
    own(rig).sink.next(snapshot(3, 'end'), false, 100);
    await settled();
    for (const stream of [...rig.upstream.streams]) stream.sink.next(snapshot(4, 'c4'), false, 100);
    await settled();
    expect(back.numbers()).toEqual([1, 2, 3, 4]);
    expect(rig.upstream.streams).toHaveLength(1);
  });
});

describe('a slow client', () => {
  it('receives the newest event of each key with its conflated count', async () => {
    const rig = startStreamRig();
    const [slow, fast] = [rig.join(), rig.join()];
    slow.socket.open = false;
    publish(rig, 'a', 'b', 'a', 'a');
    await settled();
    expect(fast.numbers()).toEqual([1, 2, 3, 4]);
    slow.socket.open = true;
    slow.resume();
    expect(slow.numbers()).toEqual([2, 4]);
    expect(slow.conflated()).toBe(2);
  });

  it('is closed if no event may be dropped, while other clients continue', async () => {
    const rig = startStreamRig({ conflates: false, queue: { messages: 2, bytes: 10_000 } });
    const [slow, fast] = [rig.join(), rig.join()];
    slow.socket.open = false;
    publish(rig, 'a', 'b');
    await settled();
    expect(slow.ends).toEqual([]);
    publish(rig, 'c');
    await settled();
    expect(slow.ends).toEqual(['lagged']);
    expect(fast.numbers()).toEqual([1, 2, 3]);
  });

  it('receives the end of the stream after its queued events', async () => {
    const rig = startStreamRig();
    const slow = rig.join();
    slow.socket.open = false;
    publish(rig, 'a');
    shared(rig).sink.complete();
    await settled();
    expect(slow.ends).toEqual([]);
    slow.socket.open = true;
    slow.resume();
    expect([slow.numbers(), slow.ends]).toEqual([[1], ['complete']]);
  });
});

describe('the state of a client', () => {
  it('changes from catchingUp to live at the common cursor', async () => {
    const rig = startStreamRig({ reportsPositions: false });
    rig.join();
    const client = rig.join('c0');
    expect(client.state()).toBe('catchingUp');
    await settled();
    for (const key of ['a', 'b', 'c']) {
      publish(rig, key);
      await settled();
    }
    expect(client.state()).toBe('live');
  });

  it('is lagging while the socket is full, and live again afterwards', async () => {
    const rig = startStreamRig();
    const client = rig.join();
    client.socket.open = false;
    expect(client.state()).toBe('live');
    publish(rig, 'a');
    await settled();
    expect(client.state()).toBe('lagging');
    client.socket.open = true;
    client.resume();
    expect(client.state()).toBe('live');
  });

  it('is ended after the client has lagged', async () => {
    const rig = startStreamRig({ conflates: false, queue: { messages: 1, bytes: 1_000 } });
    const client = rig.join();
    client.socket.open = false;
    publish(rig, 'a', 'b');
    await settled();
    expect([client.state(), client.ends]).toEqual(['ended', ['lagged']]);
  });
});
