import { expect, it } from 'vitest';
import { settled, startStreamRig } from '../../testing/stream-rig.ts';

/** Starts a rig whose events wait until `release`. `sizes`: numbers of events executed together. */
function startWaitingRig() {
  const sizes: number[] = [];
  const waiting: (() => void)[] = [];
  const rig = startStreamRig({
    together: 4,
    onExecute: (events) => sizes.push(events.length),
    execute: (event) => new Promise((resolve) => waiting.push(() => resolve(event))),
  });
  const release = async (): Promise<void> => {
    for (const go of waiting.splice(0).reverse()) go();
    await settled();
  };
  const client = rig.join();
  const upstream = rig.upstream.streams[0] as (typeof rig.upstream.streams)[0];
  return { rig, client, upstream, sizes, waiting, release };
}

it('delivers events that were executed together in order, and runs one group at a time', async () => {
  const { rig, client, upstream, sizes, waiting, release } = startWaitingRig();
  for (let n = 0; n < 11; n += 1) rig.upstream.append(`k${n}`);
  rig.upstream.advance(upstream);
  await settled();
  expect(sizes).toEqual([1]);
  await release();
  expect(sizes).toEqual([1, 4]);
  expect(waiting).toHaveLength(4);
  await release();
  await release();
  await release();
  expect(sizes).toEqual([1, 4, 4, 2]);
  expect(client.numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

it('executes no event together with one behind a marker or a position report', async () => {
  const { rig, client, upstream, sizes, release } = startWaitingRig();
  for (let n = 0; n < 6; n += 1) rig.upstream.append(`k${n}`);
  rig.upstream.advance(upstream, 3);
  rig.upstream.announce(upstream, 'begin');
  rig.upstream.advance(upstream, 1);
  rig.upstream.report(upstream);
  rig.upstream.advance(upstream);
  for (let group = 0; group < 4; group += 1) await release();
  expect(sizes).toEqual([1, 2, 1, 2]);
  expect(client.order).toEqual([1, 2, 3, 'begin', 4, 5, 6]);
});

it('executes large events one at a time', async () => {
  const { rig, upstream, sizes, release } = startWaitingRig();
  for (let n = 0; n < 4; n += 1) rig.upstream.append(`k${n}`, 200 * 1024);
  rig.upstream.advance(upstream);
  for (let group = 0; group < 4; group += 1) await release();
  expect(sizes).toEqual([1, 1, 1, 1]);
});

it('releases the memory of events that were executed for a client that has left', async () => {
  const { rig, client, upstream, release } = startWaitingRig();
  for (let n = 0; n < 9; n += 1) rig.upstream.append(`k${n}`);
  rig.upstream.advance(upstream);
  await release();
  expect(rig.budget.held('events')).toBeGreaterThan(0);
  client.leave();
  await release();
  expect(client.numbers()).toEqual([1]);
  expect(rig.budget.held('events')).toBe(0);
});
