import { createSignal, type Signal } from '../../signal.ts';
import { type Connection, INITIAL } from './connection.ts';
import type { GraphSocketEvents } from './graph-socket.ts';

/** Time after a reconnect during which changes count as missed, in ms. */
export const CATCH_UP_MS = 1_500;
/** Time during which the page shows the number of missed changes, in ms. */
const CAUGHT_UP_SHOWN_MS = 8_000;

/**
 * Derives the state of the connection from the events of the websocket and the errors of
 * operations.
 */
export interface ConnectionState {
  readonly connection: Signal<Connection>;
  /** Returns the handlers for the websocket. @param onOpen called after each connection */
  readonly socketEvents: (onOpen: () => void) => GraphSocketEvents;
  /** @param services services that do not answer; empty if all services answer */
  readonly setUnavailable: (services: readonly string[]) => void;
  /** Records that all stocks were queried. @param isShop whether the graph has stocks */
  readonly setLoaded: (isShop: boolean) => void;
  /**
   * Counts changed stocks while the page is catching up after a reconnect; otherwise does nothing.
   */
  readonly countMissed: (stocks: readonly { readonly id: string }[]) => void;
}

export function createConnectionState(): ConnectionState {
  const connection = createSignal<Connection>(INITIAL);
  let missed: Set<string> | undefined;

  const update = (changes: Partial<Connection>): void => {
    connection.set({ ...connection.get(), ...changes });
  };
  const startCatchUp = (): void => {
    const ids = new Set<string>();
    missed = ids;
    setTimeout(() => {
      missed = undefined;
      update({ caughtUp: ids.size });
      setTimeout(() => update({ caughtUp: undefined }), CAUGHT_UP_SHOWN_MS);
    }, CATCH_UP_MS);
  };

  return {
    connection,
    socketEvents: (onOpen) => ({
      onOpen: (again) => {
        update({ socket: 'open', since: Date.now() });
        onOpen();
        if (again) startCatchUp();
      },
      onLost: () => {
        if (connection.get().socket === 'open') update({ since: Date.now() });
        update({ socket: 'lost', unavailable: [] });
      },
      onRefused: (reason) => update({ socket: 'refused', reason, since: Date.now() }),
    }),
    setUnavailable: (services) => {
      if (String(services) !== String(connection.get().unavailable)) {
        update({ unavailable: services });
      }
    },
    setLoaded: (isShop) => update(isShop ? { loaded: true } : { foreign: true }),
    countMissed: (stocks) => {
      for (const { id } of stocks) missed?.add(id);
    },
  };
}
