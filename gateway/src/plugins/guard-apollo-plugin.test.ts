import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayPlugin } from '../../plugin.d.ts';
import { guardApolloPlugin } from './guard-apollo-plugin.ts';
import { HookRunner } from './hook-runner.ts';

const error = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  error.mockReset();
});
afterEach(() => vi.useRealTimers());

type Hook = (...given: unknown[]) => Promise<Record<string, Hook> & Hook>;

/** Returns the hooks of a guarded plugin, as Apollo Server calls them. */
function guard(plugin: object): Record<string, Hook> {
  const runner = new HookRunner('p', { error } as never);
  const loaded = { plugin: plugin as GatewayPlugin, runner, name: 'p' };
  return guardApolloPlugin(loaded) as never;
}

const forever = () => new Promise(() => {});

async function expectTimeout(hook: string, waiting: Promise<unknown>): Promise<void> {
  const failed = expect(waiting).rejects.toThrow(`${hook} of the plugin p has not finished`);
  await vi.advanceTimersByTimeAsync(5_000);
  await failed;
  expect(error).toHaveBeenCalledTimes(1);
}

describe('a hook of Apollo Server', () => {
  it.each(['didResolveOperation', 'willSendResponse', 'didEncounterErrors'])(
    '%s is given up after 5 s',
    async (name) => {
      const { requestDidStart } = guard({ requestDidStart: async () => ({ [name]: forever }) });
      const listener = await requestDidStart?.({});
      await expectTimeout(name, listener?.[name]?.({}) as Promise<unknown>);
    },
  );

  it('at the end of parsing or of the execution is given up after 5 s', async () => {
    const { requestDidStart } = guard({
      requestDidStart: async () => ({
        parsingDidStart: async () => forever,
        executionDidStart: async () => ({ executionDidEnd: forever }),
      }),
    });
    const listener = await requestDidStart?.({});
    const parsed = await listener?.['parsingDidStart']?.({});
    await expectTimeout('the end of parsingDidStart', parsed?.() as Promise<unknown>);
    error.mockReset();
    const execution = await listener?.['executionDidStart']?.({});
    await expectTimeout('executionDidEnd', execution?.['executionDidEnd']?.() as Promise<unknown>);
  });

  it('that is synchronous stays synchronous', async () => {
    const { requestDidStart } = guard({
      requestDidStart: async () => ({
        executionDidStart: async () => ({ willResolveField: () => 7 }),
      }),
    });
    const listener = await requestDidStart?.({});
    const execution = await listener?.['executionDidStart']?.({});
    expect(execution?.['willResolveField']?.()).toBe(7);
  });

  it('is found in frozen objects and in classes with private members', async () => {
    class Listener {
      readonly #value = 7;
      async responseForOperation() {
        return this.#value;
      }
    }
    const frozen = Object.freeze({ requestDidStart: async () => Object.freeze(new Listener()) });
    const listener = await guard(frozen)['requestDidStart']?.({});
    expect(await listener?.['responseForOperation']?.({})).toBe(7);
  });

  it('keeps the members by which Apollo Server recognizes its own plugins', () => {
    const plugin = { __internal_plugin_id__: 'UsageReporting', requestDidStart: async () => {} };
    expect('__internal_plugin_id__' in guard(plugin)).toBe(true);
  });

  it('may refuse with a status, and is not logged then', async () => {
    const { requestDidStart } = guard({
      requestDidStart: async () => {
        throw Object.assign(new Error('no'), { extensions: { code: 'X', http: { status: 403 } } });
      },
    });
    await expect(requestDidStart?.({})).rejects.toMatchObject({
      message: 'no',
      extensions: { code: 'X', http: { status: 403 } },
    });
    expect(error).not.toHaveBeenCalled();
  });
});
