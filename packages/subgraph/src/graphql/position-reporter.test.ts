import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createPositionReporter } from './position-reporter.ts';
import { type Position, registerPosition, setStartPosition } from './subscription-context.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  return () => vi.useRealTimers();
});

function start() {
  const sent: unknown[] = [];
  const reporter = createPositionReporter((message) => void sent.push(JSON.parse(message)));
  const stream = (id: string) => {
    const context = {};
    const at: { position: Position } = { position: undefined };
    reporter.add(id, context);
    const lost = registerPosition(context, () => at.position);
    return { at, lost, context };
  };
  const cursors = () =>
    sent.splice(0).map((message) => (message as { payload: { cursors: object } }).payload.cursors);
  return { reporter, stream, cursors };
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

  it('withdraws a position before a snapshot and reports it again afterwards', () => {
    const { stream, cursors, reporter } = start();
    const { at, lost } = stream('a');
    at.position = '1';
    vi.advanceTimersByTime(100);
    at.position = null;
    lost();
    lost();
    expect(cursors()).toEqual([{}, { a: '1' }, { a: null }]);
    vi.advanceTimersByTime(5_000);
    at.position = '2';
    vi.advanceTimersByTime(100);
    expect(cursors()).toEqual([{ a: '2' }]);
    reporter.stop();
  });

  it('reports the position at which a stream begins, before its first event', () => {
    const { stream, cursors, reporter } = start();
    const { context, at, lost } = stream('a');
    stream('b');
    setStartPosition(context, '1');
    for (const id of ['a', 'b', 'a', 'gone']) reporter.beforeEvent(id);
    expect(cursors()).toEqual([{}, { a: '1' }]);
    at.position = null;
    lost();
    reporter.beforeEvent('a');
    expect(cursors()).toEqual([{ a: null }]);
    reporter.stop();
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
