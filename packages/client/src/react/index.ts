'use client';
export { LiveProvider, useConnection, useLiveClient } from './live-provider.ts';
export { type LiveResult, type UseLiveOptions, useLive } from './use-live.ts';
export { type LiveListResult, type UseLiveListOptions, useLiveList } from './use-live-list.ts';
