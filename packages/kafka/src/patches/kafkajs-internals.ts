import { createRequire } from 'node:module';

/** The version of kafkajs for which the patches were written. package.json pins this version. */
const VERSION = '2.2.4';

const require = createRequire(import.meta.url);
const replaced = new Set<string>();

/**
 * Loads a module from kafkajs's sources.
 * @param path the module's path in kafkajs's `src`, such as `protocol/decoder`
 * @throws {Error} if another version of kafkajs is installed
 */
export function requireInternal<T>(path: string): T {
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== VERSION) {
    throw new Error(`kafkajs ${version} is installed, but its patches are for ${VERSION}`);
  }
  return require(`kafkajs/src/${path}`) as T;
}

/**
 * Replaces the function that a module of kafkajs exports. Later calls for the same module have no
 * effect. Must be called before kafkajs loads the modules that import the function. kafkajs loads
 * them with the first request of their kind.
 */
export function replaceInternal<F>(path: string, replace: (original: F) => F): void {
  if (replaced.has(path)) return;
  const original = requireInternal<F>(path);
  const module = require.cache[require.resolve(`kafkajs/src/${path}`)];
  if (module) module.exports = replace(original);
  replaced.add(path);
}
