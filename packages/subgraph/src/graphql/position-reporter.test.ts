import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createPositionReporter } from './position-reporter.ts';
import { type Position, registerPosition } from './subscription-context.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  return () => vi.useRealTimers();
});

function start() {
  const told: unknown[] = [];
  const teller = createPositionReporter((message) => void told.push(JSON.parse(message)));
  const stream = (id: string) => {
    const context = {};
    const at: { position: Position } = { position: undefined };
    teller.add(id, context);
    const lost = registerPosition(context, () => at.position);
    return { at, lost };
  };
  const cursors = () =>
    told.splice(0).map((one) => (one as { payload: { cursors: object } }).payload.cursors);
  return { teller, stream, cursors };
}

describe('positions of the streams of a connection', () => {
  it('are told when one is first known, of all together, and then at intervals', () => {
    const { stream, cursors, teller } = start();
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
    teller.stop();
  });

  it('are taken back before a snapshot, and told again after it', () => {
    const { stream, cursors, teller } = start();
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
    teller.stop();
  });

  it('leaves no timer once its streams have left', () => {
    const { stream, teller } = start();
    stream('a');
    stream('b');
    teller.remove('a');
    expect(vi.getTimerCount()).toBe(1);
    teller.remove('b');
    expect(vi.getTimerCount()).toBe(0);
  });
});
