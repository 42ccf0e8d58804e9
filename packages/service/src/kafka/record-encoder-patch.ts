import { createRequire } from 'node:module';
import { encodeRecord } from './record-encoder.ts';

/**
 * Puts our encoder in the place of kafkajs 2.2.4's: a third of what a relay takes is kafkajs
 * encoding records. It loads the module that calls it with the first record that is sent, so this
 * must come before.
 */
export function patchRecordEncoder(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/recordBatch/record/v0');
  require(path);
  const module = require.cache[path];
  if (module) module.exports = encodeRecord;
}
