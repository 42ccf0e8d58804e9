export { clientFrame, openRawWebsocket, type RawWebsocket } from './raw-websocket.ts';
export { RESET_STAGES } from './reset-stages.ts';
export { startSilentProxy } from './silent-proxy.ts';
export { type CollectedTracing, startCollectedTracing } from './trace-collector.ts';
