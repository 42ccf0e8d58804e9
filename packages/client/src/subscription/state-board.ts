import type { ClientError } from '../client-error.ts';
import type { ConnectionState, StateListener } from '../live-client.ts';
import { call } from './call.ts';

/** From the best state to the worst one. */
const ORDER: readonly ConnectionState[] = [
  'live',
  'catching-up',
  'connecting',
  'offline',
  'refused',
];

interface Status {
  readonly state: ConnectionState;
  readonly reason: ClientError | null;
}

const NONE: Status = { state: 'connecting', reason: null };

interface Entry {
  status: Status;
  readonly listener: StateListener | undefined;
}

/** The states of all subscriptions, and the worst of them, which is the state of the client. */
export class StateBoard<TSubscription extends object> {
  readonly #entries = new Map<TSubscription, Entry>();
  readonly #listeners = new Set<StateListener>();
  #worst = NONE;

  get worst(): Status {
    return this.#worst;
  }

  get subscriptions(): TSubscription[] {
    return [...this.#entries.keys()];
  }

  /** @param listener is called with the state of this subscription when it changes */
  add(subscription: TSubscription, listener: StateListener | undefined): void {
    this.#entries.set(subscription, { status: NONE, listener });
    this.#update();
  }

  set(subscription: TSubscription, state: ConnectionState, reason: ClientError | null): void {
    const entry = this.#entries.get(subscription);
    if (!entry || isSame(entry.status, { state, reason })) return;
    entry.status = { state, reason };
    this.#update();
    call(entry.listener, state, reason);
  }

  remove(subscription: TSubscription): void {
    if (this.#entries.delete(subscription)) this.#update();
  }

  /** @returns a function that removes the listener */
  onChange(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Removes all listeners of the client's state. */
  clear(): void {
    this.#listeners.clear();
  }

  #update(): void {
    let worst: Status | undefined;
    for (const { status } of this.#entries.values()) {
      if (!worst || rank(status) > rank(worst)) worst = status;
    }
    const next = worst ?? NONE;
    if (isSame(this.#worst, next)) return;
    this.#worst = next;
    for (const listener of [...this.#listeners]) call(listener, next.state, next.reason);
  }
}

const rank = ({ state }: Status): number => ORDER.indexOf(state);

const isSame = (one: Status, other: Status): boolean =>
  one.state === other.state && one.reason === other.reason;
