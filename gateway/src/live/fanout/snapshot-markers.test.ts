import { describe, expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

describe('markers of a snapshot', () => {
  it('arrive in their order with the events, and only at clients that asked for them', async () => {
    const { upstream, join } = startStreamRig();
    const client = join();
    const other = join(undefined, undefined, false);
    const [stream] = upstream.streams as [(typeof upstream.streams)[0]];
    for (let event = 0; event < 4; event += 1) upstream.append(`k${event}`);
    upstream.advance(stream, 1);
    upstream.announce(stream, 'begin');
    upstream.advance(stream, 2);
    upstream.announce(stream, 'end');
    upstream.advance(stream);
    await settled();
    expect(client.order).toEqual([1, 'begin', 2, 3, 'end', 4]);
    expect(other.order).toEqual([1, 2, 3, 4]);
  });

  it('do not send the end to a client that joined during the snapshot', async () => {
    const { upstream, join } = startStreamRig();
    const early = join();
    const [stream] = upstream.streams as [(typeof upstream.streams)[0]];
    upstream.append('a');
    upstream.append('b');
    upstream.announce(stream, 'begin');
    upstream.advance(stream, 1);
    await settled();
    const late = join();
    upstream.announce(stream, 'continue');
    upstream.advance(stream);
    upstream.announce(stream, 'end');
    await settled();
    expect(early.order).toEqual(['begin', 1, 2, 'end']);
    expect(late.order).toEqual([2]);
  });

  it('send the end to a client that continues the snapshot of another connection', async () => {
    const { upstream, join } = startStreamRig();
    join();
    for (let event = 0; event < 3; event += 1) upstream.append('k');
    const client = join(upstream.cursorAt(1));
    await settled();
    const [, catchUp] = upstream.streams as [unknown, (typeof upstream.streams)[0]];
    upstream.announce(catchUp, 'continue');
    upstream.advance(catchUp);
    upstream.announce(catchUp, 'end');
    await settled();
    expect(client.order).toEqual([2, 3, 'end']);
  });

  it.each([true, false])(
    'are not conflated, and separate the events that are (upstream: %s)',
    async (inUpstream) => {
      let release = (): void => {};
      const blocked = new Promise<void>((resolve) => {
        release = resolve;
      });
      const { upstream, join } = startStreamRig(
        inUpstream
          ? {
              execute: async (event) => {
                await blocked;
                return event;
              },
            }
          : {},
      );
      const client = join();
      client.socket.open = inUpstream;
      const [stream] = upstream.streams as [(typeof upstream.streams)[0]];
      // Events are conflated above 1,000 waiting ones.
      const burst = (): void => {
        for (let event = 0; event < 700; event += 1) upstream.append('k');
        upstream.advance(stream);
      };
      burst();
      upstream.announce(stream, 'begin');
      burst();
      upstream.announce(stream, 'end');
      burst();
      release();
      await settled();
      client.socket.open = true;
      client.resume();
      await settled();
      const first = inUpstream ? [1] : [];
      expect(client.order.slice(0, first.length + 4)).toEqual([
        ...first,
        700,
        'begin',
        1_400,
        'end',
      ]);
      expect(client.order.at(-1)).toBe(2_100);
      expect(client.got.length + client.conflated()).toBe(2_100);
    },
  );

  it('let a slow subscription pause between two rows, and continue the snapshot there', async () => {
    const { upstream, join } = startStreamRig({ conflates: false });
    join();
    upstream.append('k');
    const client = join(upstream.cursorAt(0));
    await settled();
    const catchUp = () => upstream.streams.at(-1) as (typeof upstream.streams)[0];
    upstream.announce(catchUp(), 'begin');
    for (let row = 0; row < 30; row += 1) upstream.append('k', 100_000);
    // The client reads nothing, so the catch-up pauses at a row.
    client.socket.open = false;
    for (let row = 0; row < 10 && upstream.streams.length > 1; row += 1) {
      upstream.advance(catchUp(), 1);
      await settled();
    }
    expect(upstream.streams).toHaveLength(1);
    client.socket.open = true;
    client.resume();
    await settled();
    expect(upstream.streams).toHaveLength(2);
    upstream.announce(catchUp(), 'continue');
    for (let row = 0; row < 40; row += 1) {
      upstream.advance(catchUp(), 1);
      await settled();
    }
    upstream.announce(catchUp(), 'end');
    await settled();
    const rows = Array.from({ length: 31 }, (_, index) => index + 1);
    expect(client.order).toEqual(['begin', ...rows, 'end']);
    expect(client.ends).toEqual([]);
  });
});
