import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createInvalidation, type Invalidation } from './invalidation.ts';
import { createRefCountedAbort } from './ref-counted-abort.ts';

let invalidation: Invalidation;
let inFlight: InFlight<string>;
beforeEach(() => {
  invalidation = createInvalidation();
  inFlight = createInFlight(invalidation);
});

function held() {
  let end = (_value: string): void => {};
  let fail = (_error: Error): void => {};
  const work = new Promise<string>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  return { work, end, fail };
}

describe('work in flight', () => {
  it('is shared by key', () => {
    const { work } = held();
    inFlight.offer('a', work, createRefCountedAbort(), invalidation.generation());
    expect(inFlight.join('a', undefined)).toBe(work);
    expect(inFlight.join('b', undefined)).toBeUndefined();
  });

  it('is not shared after it has resolved or rejected', async () => {
    const [good, bad] = [held(), held()];
    inFlight.offer('a', good.work, createRefCountedAbort(), invalidation.generation());
    inFlight.offer('b', bad.work, createRefCountedAbort(), invalidation.generation());
    good.end('x');
    bad.fail(new Error('no'));
    await Promise.allSettled([good.work, bad.work]);
    expect([inFlight.join('a', undefined), inFlight.join('b', undefined)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('is not shared after a mutation has been answered', () => {
    const since = invalidation.generation();
    const { work } = held();
    invalidation.mutationAnswered();
    inFlight.offer('a', work, createRefCountedAbort(), since);
    expect(inFlight.join('a', undefined)).toBeUndefined();
    inFlight.offer('b', work, createRefCountedAbort(), invalidation.generation());
    invalidation.mutationAnswered();
    expect(inFlight.join('b', undefined)).toBeUndefined();
  });

  it('is aborted and no longer shared when its last waiter leaves', () => {
    const leave: (() => void)[] = [];
    const abort = createRefCountedAbort();
    abort.retain((left) => leave.push(left));
    const { work } = held();
    inFlight.offer('a', work, abort, invalidation.generation());
    expect(inFlight.join('a', (left) => leave.push(left))).toBe(work);
    leave[0]?.();
    expect(abort.signal.aborted).toBe(false);
    leave[1]?.();
    expect(abort.signal.aborted).toBe(true);
    expect(inFlight.join('a', undefined)).toBeUndefined();
  });

  it('is aborted only when no waiter remains', () => {
    const abort = createRefCountedAbort();
    abort.retain((left) => left());
    expect(abort.signal.aborted).toBe(true);
    const other = createRefCountedAbort();
    other.retain(undefined);
    other.retain((left) => left());
    expect(other.signal.aborted).toBe(false);
  });

  it('does not remove the work that replaced it', async () => {
    const [old, next] = [held(), held()];
    inFlight.offer('a', old.work, createRefCountedAbort(), invalidation.generation());
    invalidation.mutationAnswered();
    inFlight.offer('a', next.work, createRefCountedAbort(), invalidation.generation());
    old.end('old');
    await old.work;
    expect(inFlight.join('a', undefined)).toBe(next.work);
  });
});

describe('the result of finished work', () => {
  const begin = (): ReturnType<typeof held> => {
    const one = held();
    inFlight.offer('a', one.work, createRefCountedAbort(), invalidation.generation());
    return one;
  };
  const endAfter = async ({ work, end }: ReturnType<typeof held>, ms: number, value = 'x') => {
    await vi.advanceTimersByTimeAsync(ms);
    end(value);
    await work;
  };
  const joins = (): boolean => inFlight.join('a', undefined) !== undefined;

  beforeEach(() => {
    vi.useFakeTimers();
    inFlight = createInFlight(invalidation, { lingers: (result) => result !== 'bad' });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    { took: 4, lingers: 4 },
    { took: 300, lingers: 10 },
  ])('is shared for $lingers ms if the work took $took ms', async (times) => {
    const one = begin();
    joins();
    await endAfter(one, times.took);
    await vi.advanceTimersByTimeAsync(times.lingers - 1);
    expect(await inFlight.join('a', undefined)).toBe('x');
    // A request that joins late does not extend this time.
    await vi.advanceTimersByTimeAsync(2);
    expect(joins()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not shared longer when the timer is late', async () => {
    const one = begin();
    joins();
    await endAfter(one, 4);
    const late = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 5);
    expect(joins()).toBe(false);
    late.mockRestore();
  });

  it('is not shared unless a request joined the work before its end', async () => {
    await endAfter(begin(), 4);
    expect(joins()).toBe(false);
  });

  it('is not shared if `lingers` returns false', async () => {
    const one = begin();
    joins();
    await endAfter(one, 4, 'bad');
    expect(joins()).toBe(false);
  });

  it.each([
    ['mutation', () => invalidation.mutationAnswered()],
    ['event', () => invalidation.eventReceived()],
  ])('is not shared after the next %s', async (_what, happens) => {
    const one = begin();
    joins();
    await endAfter(one, 4);
    expect(joins()).toBe(true);
    happens();
    expect(joins()).toBe(false);
  });
});
