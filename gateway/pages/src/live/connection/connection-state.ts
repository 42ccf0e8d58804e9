import type { ClientError, LiveClient } from '@gudang/client';
import { createSignal, type Signal } from '../../signal.ts';
import { type Connection, INITIAL, isLost, type Services } from './connection.ts';

/** Time during which the page shows the number of missed changes, in ms. */
const CAUGHT_UP_SHOWN_MS = 8_000;

const ALL_WORK: Services = { unavailable: [], isKafkaUnavailable: false };

/** Derives what the page shows about its connection from the state of the client. */
export interface ConnectionState {
  readonly connection: Signal<Connection>;
  /** @param services undefined if the gateway does not answer */
  readonly setServices: (services: Services | undefined) => void;
  /** Records that all stocks were queried. @param isShop whether the graph has stocks */
  readonly setLoaded: (isShop: boolean) => void;
  /** Whether the page receives changes that it has missed. */
  readonly isCatchingUp: () => boolean;
  /** Counts changed stocks while the page catches up after a reconnect; otherwise does nothing. */
  readonly countMissed: (stocks: readonly { readonly id: string }[]) => void;
}

/**
 * @param onConnected called after each reconnect. It must show all changes that have arrived, so that
 * they count as missed.
 */
export function createConnectionState(
  client: Pick<LiveClient, 'onState'>,
  onConnected: () => void,
): ConnectionState {
  const connection = createSignal<Connection>(INITIAL);
  let missed: Set<string> | undefined;

  const update = (changes: Partial<Connection>): void => {
    connection.set({ ...connection.get(), ...changes });
  };
  client.onState((state, reason) => {
    const before = connection.get();
    const wasLive = before.wasLive || state === 'live';
    update({ state, wasLive, rejection: rejectionOf(reason) });
    const isNowLost = isLost(connection.get());
    if (isNowLost && !isLost(before)) {
      missed ??= new Set();
      update({ since: Date.now(), caughtUp: undefined });
    }
    if (state !== 'live' || !missed) return;
    onConnected();
    update({ caughtUp: missed.size });
    missed = undefined;
    setTimeout(() => update({ caughtUp: undefined }), CAUGHT_UP_SHOWN_MS);
  });

  return {
    connection,
    setServices: (services) => {
      const { unavailable, isKafkaUnavailable } = services ?? ALL_WORK;
      const isUnreachable = services === undefined;
      const before = connection.get();
      const isSame =
        String(unavailable) === String(before.unavailable) &&
        isKafkaUnavailable === before.isKafkaUnavailable &&
        isUnreachable === before.isUnreachable;
      if (!isSame) update({ unavailable, isKafkaUnavailable, isUnreachable });
    },
    setLoaded: (isShop) => update(isShop ? { loaded: true } : { foreign: true }),
    isCatchingUp: () => missed !== undefined,
    countMissed: (stocks) => {
      for (const { id } of stocks) missed?.add(id);
    },
  };
}

/** Returns the reason of a gateway that answers, but rejects streams for the moment. */
function rejectionOf(reason: ClientError | null): string | undefined {
  if (!reason || reason.errors.length === 0) return undefined;
  return /[.!?]$/.test(reason.message) ? reason.message : `${reason.message}.`;
}
