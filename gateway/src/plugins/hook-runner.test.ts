import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestError } from '../errors/request-error.ts';
import { askInTurn, HookRunner } from './hook-runner.ts';

const error = vi.fn();
let runner: HookRunner;

beforeEach(() => {
  vi.useFakeTimers();
  error.mockReset();
  runner = new HookRunner('a plugin', { error } as never);
});
afterEach(() => vi.useRealTimers());

const refusal = Object.assign(new Error('not today'), {
  extensions: { code: 'FORBIDDEN', http: { status: 403 } },
});

describe('a hook', () => {
  it('that throws does not affect its caller, and is logged at most every 30 s', () => {
    for (let call = 0; call < 3; call += 1) {
      runner.notify('liveEvent', () => {
        throw new Error('no');
      });
    }
    expect(error).toHaveBeenCalledTimes(1);
    expect(error.mock.calls[0]?.[0]).toMatchObject({ plugin: 'a plugin', hook: 'liveEvent' });
    vi.advanceTimersByTime(30_000);
    runner.notify('liveEvent', () => Promise.reject(new Error('no')));
    return vi.waitFor(() => expect(error).toHaveBeenCalledTimes(2));
  });

  it('refuses by an error with extensions, thrown or by a promise', async () => {
    const thrown = (): never => {
      throw refusal;
    };
    const expected = { message: 'not today', status: 403, extensions: { code: 'FORBIDDEN' } };
    expect(() => runner.ask('h', thrown)).toThrow(expect.objectContaining(expected));
    await expect(runner.ask('h', () => Promise.reject(refusal))).rejects.toMatchObject(expected);
    expect(error).not.toHaveBeenCalled();
  });

  it.each([new Error('secret'), 'secret', undefined, null, { message: 'secret' }])(
    'never shows another error to a client: %j',
    async (failure) => {
      const masked = { message: 'Internal error', status: 500 };
      const rejected = runner.ask('h', () => Promise.reject(failure));
      await expect(rejected).rejects.toMatchObject(masked);
      await expect(rejected).rejects.toBeInstanceOf(RequestError);
      expect(error).toHaveBeenCalledTimes(1);
    },
  );

  it('that hangs is given up after 5 s', async () => {
    const asked = runner.ask('h', () => new Promise(() => {}));
    const failed = expect(asked).rejects.toMatchObject({ message: 'Internal error' });
    await vi.advanceTimersByTimeAsync(5_000);
    await failed;
    expect(String(error.mock.calls[0]?.[0].err)).toContain(
      'h of the plugin a plugin has not finished within 5000 ms',
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that must finish at once fails if it returns a promise, whose rejection is handled', () => {
    const asked = () => runner.askNow('h', () => Promise.reject(new Error('later')));
    expect(asked).toThrow('Internal error');
    expect(String(error.mock.calls[0]?.[0].err)).toContain('h must not return a promise');
  });
});

describe('askInTurn', () => {
  it('stops at the first plugin that refuses, and returns nothing if no hook is asynchronous', async () => {
    const calls: string[] = [];
    const plugins = ['a', 'b', 'c'].map((plugin) => ({ plugin, runner }));
    const call = (asynchronous: boolean) => (plugin: string) => {
      calls.push(plugin);
      if (plugin === 'b') throw refusal;
      return asynchronous ? Promise.resolve() : undefined;
    };
    expect(askInTurn(plugins.slice(0, 1), 'h', call(false))).toBeUndefined();
    expect(() => askInTurn(plugins, 'h', call(false))).toThrow('not today');
    await expect(askInTurn(plugins, 'h', call(true))).rejects.toThrow('not today');
    expect(calls).toEqual(['a', 'a', 'b', 'a', 'b']);
  });
});
