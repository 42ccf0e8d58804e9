import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const replaced = new Set<string>();

/**
 * Puts a function in the place of one that a module of kafkajs exports, once. It must come before
 * kafkajs loads the modules that call it, which it does with the first request of a kind.
 */
export function replaceModule<F>(path: string, make: (original: F) => F): void {
  const file = require.resolve(path);
  if (replaced.has(file)) return;
  const original = require(file) as F;
  const module = require.cache[file];
  if (module) module.exports = make(original);
  replaced.add(file);
}

/** @param path below kafkajs's sources, such as `protocol/decoder` */
export function requireFromKafkajs<T>(path: string): T {
  return require(`kafkajs/src/${path}`) as T;
}
