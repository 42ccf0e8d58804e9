import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { cwd } from 'node:process';
import { pathToFileURL } from 'node:url';
import { type Logger, StartError } from '@gudang/runtime';
import type { GatewayPlugin, PluginModule } from '../../plugin.d.ts';
import { HookRunner, HookTimeoutError } from './hook-runner.ts';

/** Time in which a plugin's module must be loaded and its plugin created, in milliseconds. */
const LOAD_MS = 30_000;

/** A plugin and the runner of its hooks. */
export interface LoadedPlugin {
  readonly plugin: GatewayPlugin;
  readonly runner: HookRunner;
  readonly name: string;
}

/**
 * Loads plugins from modules: paths, relative to the working directory, or names of packages.
 * @throws {StartError} if a module cannot be loaded, or exports no plugin
 */
export async function loadPlugins(
  modules: readonly string[],
  log: Logger,
): Promise<readonly LoadedPlugin[]> {
  const loaded: LoadedPlugin[] = [];
  // One after another, so that a failure names the first module that fails.
  for (const module of modules) loaded.push(...(await loadModule(module, log)));
  return loaded;
}

async function loadModule(module: string, log: Logger): Promise<LoadedPlugin[]> {
  const fail = (what: string): never => {
    throw new StartError(`GATEWAY_PLUGINS: ${module} ${what}`);
  };
  const load = async (): Promise<unknown> => {
    const exported = (await import(urlOf(module))) as { default?: PluginModule };
    const given = exported.default;
    return typeof given === 'function' ? given({ log }) : given;
  };
  let created: unknown;
  try {
    created = await new HookRunner(module, log, LOAD_MS).within('loading', load());
  } catch (error) {
    if (error instanceof HookTimeoutError) fail(`was not loaded within ${LOAD_MS / 1000} s`);
    fail(`cannot be loaded: ${(error as Error | undefined)?.message ?? String(error)}`);
  }
  const plugins: readonly unknown[] = Array.isArray(created) ? created : [created];
  return plugins.map((plugin, index): LoadedPlugin => {
    if (!isPlugin(plugin)) {
      return fail(
        'must have a default export: a plugin with at least one hook, a list of plugins, or a function that returns either',
      );
    }
    const numbered = plugins.length > 1 ? `${module} (${index + 1})` : module;
    const name = typeof plugin.name === 'string' && plugin.name !== '' ? plugin.name : numbered;
    return { plugin, name, runner: new HookRunner(name, log) };
  });
}

function urlOf(module: string): string {
  const isPath = /^\.{0,2}[\\/]|^[a-z]:[\\/]/i.test(module);
  const path = isPath
    ? resolve(module)
    : createRequire(join(cwd(), 'package.json')).resolve(module);
  return pathToFileURL(path).href;
}

/** Hooks of Apollo Server's plugins. */
export const APOLLO_HOOKS = [
  'serverWillStart',
  'startupDidFail',
  'requestDidStart',
  'contextCreationDidFail',
  'invalidRequestWasReceived',
  'unexpectedErrorProcessingRequest',
] as const satisfies readonly (keyof GatewayPlugin)[];

const OWN_HOOKS = [
  'forwardHeaders',
  'willSendSubgraphRequest',
  'liveSubscribe',
  'liveEvent',
  'liveEnd',
] as const satisfies readonly (keyof GatewayPlugin)[];

function isPlugin(value: unknown): value is GatewayPlugin {
  if (typeof value !== 'object' || value === null) return false;
  const hooks: readonly string[] = [...APOLLO_HOOKS, ...OWN_HOOKS];
  const members = value as Record<string, unknown>;
  return (
    hooks.some((hook) => members[hook] !== undefined) &&
    hooks.every((hook) => ['function', 'undefined'].includes(typeof members[hook]))
  );
}
