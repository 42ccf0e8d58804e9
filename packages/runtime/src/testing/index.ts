export { eventually } from './eventually.ts';
export { startSilentProxy } from './silent-proxy.ts';
