export { hashInput } from './hash-input.ts';
export { startKeyPurge } from './key-purge.ts';
export { type IdempotencyClaim, type ResultCodec, runOnce } from './run-once.ts';
