import { createPosition } from '../upstream/live-payload.ts';
import type { StreamClient } from './stream-client.ts';

/**
 * Time without an event after which the clients of a stream receive its position again, in milliseconds, so
 * that they do not resume from an old cursor.
 */
const REPEAT_AFTER_MS = 60_000;

/** Sends the position of a shared stream to those of its clients that may have no recent cursor. */
export class StreamPositions {
  /** Clients that joined at an unknown position. */
  readonly #waiting = new Set<StreamClient>();
  /** Time since which all clients may have received neither an event nor a position. */
  #quietSince = performance.now();

  /** @param cursor after which the client receives all events; undefined if it is not known yet */
  joined(client: StreamClient, cursor: string | undefined): void {
    if (!client.receivesPositions) return;
    if (cursor === undefined) this.#waiting.add(client);
    else client.reach(createPosition(cursor));
  }

  left(client: StreamClient): void {
    this.#waiting.delete(client);
  }

  /** Call when events were delivered to all clients. */
  delivered(): void {
    this.#quietSince = performance.now();
  }

  /** Whether clients must receive the next position. */
  get isDue(): boolean {
    return this.#waiting.size > 0 || performance.now() - this.#quietSince >= REPEAT_AFTER_MS;
  }

  /**
   * Sends a position to the clients that must receive it.
   * @param clients the clients that have received every event up to the cursor, and none after it
   */
  report(cursor: string, clients: Iterable<StreamClient>): void {
    const position = createPosition(cursor);
    const isQuiet = performance.now() - this.#quietSince >= REPEAT_AFTER_MS;
    for (const client of isQuiet ? clients : this.#waiting) client.reach(position);
    this.#waiting.clear();
    if (isQuiet) this.delivered();
  }
}
