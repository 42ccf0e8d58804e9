import { createRequire } from 'node:module';

/** The version that the patches were written for; package.json pins it. */
const VERSION = '2.2.4';

const require = createRequire(import.meta.url);
const replaced = new Set<string>();

/**
 * Loads a module from kafkajs's sources.
 * @param path below kafkajs's `src`, such as `protocol/decoder`
 * @throws {Error} when another version of kafkajs is installed
 */
export function requireInternal<T>(path: string): T {
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== VERSION) {
    throw new Error(`kafkajs ${version} is installed, but its patches are for ${VERSION}`);
  }
  return require(`kafkajs/src/${path}`) as T;
}

/**
 * Replaces the function that a module of kafkajs exports, once. Must be called before kafkajs loads
 * the modules that import it, which it does with the first request of a kind.
 */
export function replaceInternal<F>(path: string, replace: (original: F) => F): void {
  if (replaced.has(path)) return;
  const original = requireInternal<F>(path);
  const module = require.cache[require.resolve(`kafkajs/src/${path}`)];
  if (module) module.exports = replace(original);
  replaced.add(path);
}
