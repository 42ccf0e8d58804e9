import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createPositionReporter } from './position-reporter.ts';
import {
  announceSnapshot,
  type Position,
  registerPosition,
  setStartPosition,
} from './subscription-context.ts';

const BEGIN = { phase: 'begin', complete: true, reset: false } as const;
const END = { ...BEGIN, phase: 'end' } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  return () => vi.useRealTimers();
});

function start() {
  const sent: unknown[] = [];
  const reporter = createPositionReporter((message) => void sent.push(JSON.parse(message)));
  const stream = (id: string, group?: string) => {
    const context = {};
    const at: { position: Position; reads: number } = { position: undefined, reads: 0 };
    reporter.add(id, context);
    const read = (): Position => {
      at.reads += 1;
      return at.position;
    };
    registerPosition(context, read, group);
    return { at, context };
  };
  const cursors = () =>
    sent.splice(0).map((message) => (message as { payload: { cursors: object } }).payload.cursors);
  const payloads = () => sent.splice(0).map((message) => (message as { payload: object }).payload);
  return { reporter, stream, cursors, payloads };
}

describe('createPositionReporter', () => {
  it('reports all positions as soon as a stream’s first position is known, then at intervals', () => {
    const { stream, cursors, reporter } = start();
    const a = stream('a');
    expect(cursors()).toEqual([{}]);
    a.at.position = '1';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ a: '1' }]);
    a.at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([]);
    stream('b').at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ a: '2', b: '2' }]);
    a.at.position = '3';
    vi.advanceTimersByTime(2_000);
    expect(cursors()).toEqual([{ a: '3' }]);
    vi.advanceTimersByTime(10_000);
    expect(cursors()).toEqual([]);
    reporter.stop();
  });

  it('reports a first position only with the streams of its group', () => {
    const { stream, cursors, reporter } = start();
    const [a, other] = [stream('a', 'mine'), stream('other', 'theirs')];
    for (const { at } of [a, other]) at.position = '1';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{}, { a: '1', other: '1' }]);
    for (const { at } of [a, other]) at.position = '2';
    stream('b', 'mine').at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ a: '2', b: '2' }]);
    reporter.remove('a');
    stream('c', 'mine').at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ c: '2' }]);
    reporter.stop();
  });

  it('reads and reports at most 1,000 positions per second for many streams', () => {
    const { stream, cursors, reporter } = start();
    const all = Array.from({ length: 10_000 }, (_, index) => stream(`${index}`, `${index}`));
    for (const { at } of all) at.position = '0';
    vi.advanceTimersByTime(10_000);
    cursors();
    const reads = () => all.reduce((sum, { at }) => sum + at.reads, 0);
    const before = reads();
    for (let second = 1; second <= 100; second += 1) {
      for (const { at } of all) at.position = `${second}`;
      vi.advanceTimersByTime(1_000);
    }
    expect(reads() - before).toBe(100_000);
    expect(cursors().reduce((sum, one) => sum + Object.keys(one).length, 0)).toBe(100_000);
    reporter.stop();
  });

  it('withdraws a position before a snapshot and reports it again afterwards', () => {
    const { stream, cursors, reporter } = start();
    const { at, context } = stream('a');
    at.position = '1';
    vi.advanceTimersByTime(100);
    at.position = null;
    announceSnapshot(context, BEGIN);
    expect(cursors()).toEqual([{}, { a: '1' }, { a: null }]);
    vi.advanceTimersByTime(5_000);
    at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ a: '2' }]);
    reporter.stop();
  });

  it('reports the position at which a stream begins, before its first event', () => {
    const { stream, cursors, reporter } = start();
    const { context, at } = stream('a');
    stream('b');
    setStartPosition(context, '1');
    for (const id of ['a', 'b', 'a', 'gone']) reporter.beforeEvent(id);
    expect(cursors()).toEqual([{}, { a: '1' }]);
    at.position = null;
    announceSnapshot(context, BEGIN);
    reporter.beforeEvent('a');
    expect(cursors()).toEqual([{ a: null }]);
    reporter.stop();
  });

  it('announces a snapshot before its first row, and its end after the last one', () => {
    const { stream, payloads, reporter } = start();
    const { context } = stream('a');
    announceSnapshot(context, BEGIN);
    expect(payloads()).toEqual([{ cursors: {} }]);
    reporter.beforeEvent('a');
    expect(payloads()).toEqual([{ cursors: { a: null }, snapshots: { a: BEGIN } }]);
    reporter.beforeEvent('a');
    announceSnapshot(context, END);
    expect(payloads()).toEqual([{ cursors: {}, snapshots: { a: END } }]);
    reporter.stop();
  });

  it('announces snapshots without rows at the next interval, the end of an earlier one included', () => {
    const { stream, payloads, reporter } = start();
    const { at, context } = stream('a');
    announceSnapshot(context, END);
    announceSnapshot(context, { ...BEGIN, reset: true });
    announceSnapshot(context, { ...END, reset: true });
    at.position = '1';
    vi.advanceTimersByTime(100);
    expect(payloads()).toEqual([
      { cursors: {} },
      { cursors: {}, snapshots: { a: END } },
      { cursors: { a: null }, snapshots: { a: { ...BEGIN, reset: true } } },
      { cursors: {}, snapshots: { a: { ...END, reset: true } } },
      { cursors: { a: '1' } },
    ]);
    reporter.stop();
  });

  it('announces no snapshot of a stream that has ended', () => {
    const { stream, payloads, reporter } = start();
    const { context } = stream('a');
    reporter.beforeEvent('a');
    reporter.remove('a');
    announceSnapshot(context, BEGIN);
    expect(payloads()).toEqual([{ cursors: {} }]);
  });

  it('does not report the beginning of a stream after a later position', () => {
    const { stream, cursors, reporter } = start();
    const { at, context } = stream('a');
    setStartPosition(context, '1');
    at.position = '2';
    vi.advanceTimersByTime(100);
    reporter.beforeEvent('a');
    expect(cursors()).toEqual([{}, { a: '2' }]);
    reporter.stop();
  });

  it('stops its timer when the last stream ends', () => {
    const { stream, reporter } = start();
    stream('a');
    stream('b');
    reporter.remove('a');
    expect(vi.getTimerCount()).toBe(1);
    reporter.remove('b');
    expect(vi.getTimerCount()).toBe(0);
  });
});
