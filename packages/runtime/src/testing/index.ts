export { eventually } from './eventually.ts';
export { startSilentDoor } from './silent-door.ts';
