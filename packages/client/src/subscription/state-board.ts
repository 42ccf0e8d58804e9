import type { ClientError } from '../client-error.ts';
import { Listeners } from '../listeners.ts';
import type { ConnectionState, StateListener } from '../live-client.ts';

/** From the best state to the worst one. */
const ORDER: readonly ConnectionState[] = [
  'live',
  'catching-up',
  'connecting',
  'offline',
  'refused',
];

export interface Status {
  readonly state: ConnectionState;
  readonly reason: ClientError | null;
}

export const CONNECTING: Status = { state: 'connecting', reason: null };

/** The open subscriptions, and the worst of their states, which is the state of the client. */
export class StateBoard<TSubscription extends { readonly status: Status }> {
  readonly subscriptions = new Set<TSubscription>();
  /** Called with the worst state when it changes. */
  readonly listeners = new Listeners<Parameters<StateListener>>();
  worst = CONNECTING;

  /** Call when a subscription was added or removed, or its state has changed. */
  update(): void {
    const statuses = [...this.subscriptions].map(({ status }) => status);
    const [worst = CONNECTING] = statuses.sort((a, b) => rank(b) - rank(a));
    if (isSame(this.worst, worst)) return;
    this.worst = worst;
    this.listeners.emit(worst.state, worst.reason);
  }
}

const rank = ({ state }: Status): number => ORDER.indexOf(state);

export const isSame = (one: Status, other: Status): boolean =>
  one.state === other.state && one.reason === other.reason;
