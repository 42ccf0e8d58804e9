import type { SubscribePayload } from 'graphql-ws';
import { type ByteAccount, type ByteHold, bytesOf } from '../../../limits/byte-account.ts';

/** An operation that waits for its turn. */
export interface WaitingOperation<R> {
  readonly running: R;
  readonly request: SubscribePayload;
  /** The size of the operation's message, in bytes. */
  readonly bytes: number;
}

/** The operations of one websocket that wait for their turn, oldest first, with their size. */
export class WaitingOperations<
  R extends { readonly id: string; readonly account: Pick<ByteAccount, 'hold'> },
> {
  readonly #byId = new Map<string, WaitingOperation<R>>();
  #hold: ByteHold | undefined;

  /** Number of waiting operations. */
  get count(): number {
    return this.#byId.size;
  }

  /** Size of all waiting messages, in bytes. */
  get bytes(): number {
    return this.#hold?.bytes ?? 0;
  }

  /** @returns false if the account of the connection has no room for the message */
  add(running: R, request: SubscribePayload, message: string): boolean {
    const bytes = bytesOf(message);
    this.#hold ??= running.account.hold('queues');
    if (!this.#hold.reserve(bytes)) return false;
    this.#byId.set(running.id, { running, request, bytes });
    return true;
  }

  /** Removes and returns the oldest operation. */
  shift(): WaitingOperation<R> | undefined {
    const [oldest] = this.#byId.values();
    if (oldest) this.remove(oldest.running.id);
    return oldest;
  }

  remove(id: string): void {
    this.#hold?.release(this.#byId.get(id)?.bytes ?? 0);
    this.#byId.delete(id);
  }

  clear(): void {
    this.#byId.clear();
    this.#hold?.releaseAll();
  }
}
