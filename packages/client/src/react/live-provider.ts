'use client';
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useSyncExternalStore,
} from 'react';
import type { ClientError } from '../client-error.ts';
import type { ConnectionState, LiveClient } from '../live-client.ts';

const LiveContext = createContext<LiveClient | null>(null);

/** Gives a client to the hooks of all components below it. It does not close the client. */
export function LiveProvider(props: {
  readonly client: LiveClient;
  readonly children?: ReactNode;
}): ReactElement {
  return createElement(LiveContext.Provider, { value: props.client }, props.children);
}

/** Returns the client of the nearest `LiveProvider`. @throws {Error} without a `LiveProvider` */
export function useLiveClient(): LiveClient {
  const client = useContext(LiveContext);
  if (!client) throw new Error('Hooks of @gudang/client/react need a <LiveProvider> above them');
  return client;
}

/** Returns the state of all subscriptions together, such as for a banner that says "offline". */
export function useConnection(): {
  readonly state: ConnectionState;
  /** Why the state is `offline` or `refused`; otherwise null. */
  readonly reason: ClientError | null;
} {
  const client = useLiveClient();
  const subscribe = useCallback((listener: () => void) => client.onState(listener), [client]);
  const state = useSyncExternalStore(subscribe, () => client.state, returnConnecting);
  const reason = useSyncExternalStore(subscribe, () => client.stateReason, returnNull);
  return useMemo(() => ({ state, reason }), [state, reason]);
}

const returnConnecting = (): ConnectionState => 'connecting';
const returnNull = (): null => null;
