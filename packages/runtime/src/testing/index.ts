export { clientFrame, openRawWebsocket, type RawWebsocket } from './raw-websocket.ts';
export { startSilentProxy } from './silent-proxy.ts';
export { type CollectedTracing, startCollectedTracing } from './trace-collector.ts';
