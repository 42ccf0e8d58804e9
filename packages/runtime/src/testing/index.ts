export { startSilentProxy } from './silent-proxy.ts';
export { type CollectedTracing, startCollectedTracing } from './trace-collector.ts';
