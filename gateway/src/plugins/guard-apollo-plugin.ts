import { StartError } from '@gudang/runtime';
import type { GatewayPlugin } from '../../plugin.d.ts';
import type { PluginError } from '../errors/request-error.ts';
import { type HookRunner, isPromise, isRefusal, toPluginError } from './hook-runner.ts';
import { APOLLO_HOOKS, type LoadedPlugin } from './load-plugins.ts';

/** Hooks that return an object or a function with further hooks. */
const STARTING: readonly string[] = [
  'serverWillStart',
  'requestDidStart',
  'parsingDidStart',
  'validationDidStart',
  'executionDidStart',
];
/** Hooks whose failure ends the start of the gateway. */
const AT_START: readonly string[] = ['serverWillStart'];

type Hook = (...given: unknown[]) => unknown;

/**
 * Returns the plugin for Apollo Server: its hooks are limited in time, and failures are logged with the
 * plugin's name. Apollo Server decides what a failure means, as for every plugin.
 */
export function guardApolloPlugin({ plugin, runner, name }: LoadedPlugin): GatewayPlugin {
  // Apollo Server recognizes some of its own plugins by further members, which are inherited.
  const guarded = Object.create(plugin) as GatewayPlugin;
  for (const hook of APOLLO_HOOKS) {
    if (!plugin[hook]) continue;
    // Defined, because an assignment fails if the plugin is frozen.
    const value = guardHook(plugin, plugin[hook] as Hook, hook, runner, name);
    Object.defineProperty(guarded, hook, { value, enumerable: true });
  }
  return guarded;
}

function guardHook(
  owner: object,
  hook: Hook,
  name: string,
  runner: HookRunner,
  plugin: string,
): Hook {
  const fail = (error: unknown): never => {
    if (!isRefusal(error)) runner.report(name, error);
    else if (!AT_START.includes(name)) throw toApolloError(toPluginError(error));
    if (!AT_START.includes(name)) throw error;
    throw new StartError(
      `GATEWAY_PLUGINS: the plugin ${plugin} failed in ${name}: ${(error as Error | undefined)?.message ?? String(error)}`,
    );
  };
  const finish = (result: unknown): unknown =>
    STARTING.includes(name) ? guardListener(result, name, runner, plugin) : result;
  return (...given) => {
    try {
      const result = hook.apply(owner, given);
      return isPromise(result) ? runner.within(name, result).then(finish, fail) : finish(result);
    } catch (error) {
      return fail(error);
    }
  };
}

/** Adds the status where Apollo Server reads it. */
function toApolloError(error: PluginError): PluginError {
  error.extensions['http'] = { status: error.status };
  return error;
}

/** Guards what a starting hook returns: a function, or an object of functions. */
function guardListener(
  listener: unknown,
  start: string,
  runner: HookRunner,
  plugin: string,
): unknown {
  if (typeof listener === 'function') {
    return guardHook({}, listener as Hook, `the end of ${start}`, runner, plugin);
  }
  if (typeof listener !== 'object' || listener === null) return listener;
  const guarded = Object.create(listener) as Record<string, unknown>;
  // Members of a class's prototype count as well.
  for (
    let one = listener;
    one !== Object.prototype && one !== null;
    one = Object.getPrototypeOf(one)
  ) {
    for (const name of Object.getOwnPropertyNames(one)) {
      const hook = (listener as Record<string, unknown>)[name];
      if (name === 'constructor' || typeof hook !== 'function' || Object.hasOwn(guarded, name)) {
        continue;
      }
      const value = guardHook(listener, hook as Hook, name, runner, plugin);
      Object.defineProperty(guarded, name, { value, enumerable: true });
    }
  }
  return guarded;
}
