export type { ChangeEvent, LiveEvent, SnapshotMarker } from './live-event.ts';
