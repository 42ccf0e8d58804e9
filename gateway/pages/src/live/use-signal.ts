import { useSyncExternalStore } from 'react';
import type { Signal } from '../signal.ts';

export function useSignal<T>({ subscribe, get }: Signal<T>): T {
  return useSyncExternalStore(subscribe, get);
}
