import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventTurns, type PausableSocket, ReadTurns } from './turns.ts';

const iteration = () => new Promise((resolve) => setImmediate(resolve));

describe('turns of the event loop', () => {
  it('let executions continue at once until they have used 5 ms of an iteration', async () => {
    const turns = new EventTurns();
    turns.spend(turns.iteration, 3, false);
    expect(turns.mustWait(false)).toBe(false);
    turns.spend(turns.iteration, 2, false);
    expect(turns.mustWait(false)).toBe(true);
    await iteration();
    expect(turns.mustWait(false)).toBe(false);
  });

  it('let catch-ups continue until 2 ms of an iteration have been used', () => {
    const turns = new EventTurns();
    turns.spend(turns.iteration, 2, true);
    expect([turns.mustWait(true), turns.mustWait(false)]).toEqual([true, false]);
  });

  it('do not count executions that have waited for a subgraph', async () => {
    const turns = new EventTurns();
    const before = turns.iteration;
    await turns.next(false);
    turns.spend(before, 100, false);
    expect(turns.mustWait(false)).toBe(false);
  });

  it('wake one execution per iteration, in order', async () => {
    const turns = new EventTurns();
    const woken: number[] = [];
    for (const number of [1, 2, 3]) void turns.next(false).then(() => woken.push(number));
    for (const count of [1, 2, 3]) {
      await iteration();
      expect(woken).toEqual([1, 2, 3].slice(0, count));
    }
  });

  it('make catch-ups pause for three times the time that they have used, but no other stream', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const turns = new EventTurns();
    turns.spend(turns.iteration, 10, true);
    const order: string[] = [];
    void turns.next(true).then(() => order.push('catch-up'));
    void turns.next(false).then(() => order.push('stream'));
    for (const [ms, expected] of [
      [0, ['stream']],
      [28, ['stream']],
      [2, ['stream', 'catch-up']],
    ] as const) {
      vi.advanceTimersByTime(ms);
      for (let turn = 0; turn < 4; turn += 1) await iteration();
      expect(order).toEqual(expected);
    }
  });
});

describe('ReadTurns', () => {
  /** A websocket with messages that take 1 ms each. It delivers them while it is read, as Node does. */
  function createSocket(turns: ReadTurns, name: string, messages: number, log: string[]) {
    let isPaused = false;
    let left = messages;
    const socket: PausableSocket = {
      pause: () => {
        isPaused = true;
      },
      resume: () => {
        isPaused = false;
        read();
      },
    };
    const read = (): void => {
      while (!isPaused && left > 0) {
        left -= 1;
        turns.run(socket, () => {
          now += 1;
          log.push(name);
        });
      }
    };
    return read;
  }

  let now = 0;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    return () => {
      vi.useRealTimers();
      vi.restoreAllMocks();
    };
  });

  it('handles the messages of several sockets in turns of 2 ms, in order of arrival', () => {
    const turns = new ReadTurns();
    const log: string[] = [];
    for (const [name, messages] of [
      ['a', 5],
      ['b', 1],
      ['c', 4],
    ] as const) {
      createSocket(turns, name, messages, log)();
    }
    vi.runAllTimers();
    expect(log.join('')).toBe('aabccaacca');
  });

  it('makes pauses of three times the time of a turn if it is patient', () => {
    const turns = new ReadTurns(3);
    const log: string[] = [];
    createSocket(turns, 'a', 6, log)();
    vi.advanceTimersByTime(5);
    expect(log).toHaveLength(2);
    vi.advanceTimersByTime(2);
    expect(log).toHaveLength(4);
    vi.runAllTimers();
    expect(log).toHaveLength(6);
  });

  it('does not add up the short messages of another socket during a pause', () => {
    const turns = new ReadTurns(3);
    createSocket(turns, 'a', 20, [])();
    const other = { pause: vi.fn(), resume: vi.fn() };
    const say = (): void =>
      turns.run(other, () => {
        now += 1;
      });
    for (let message = 0; message < 4; message += 1) {
      say();
      vi.advanceTimersByTime(1);
    }
    expect(other.pause).not.toHaveBeenCalled();
  });

  it('continues after an exception', () => {
    const turns = new ReadTurns();
    const socket = { pause: vi.fn(), resume: vi.fn() };
    expect(() =>
      turns.run(socket, () => {
        now += 2;
        throw new Error('a failure');
      }),
    ).toThrow('a failure');
    expect(socket.pause).toHaveBeenCalledOnce();
    vi.runAllTimers();
    expect(socket.resume).toHaveBeenCalledOnce();
  });
});
