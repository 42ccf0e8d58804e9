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
  /** Time of the last position that all clients received, by `performance.now()`. */
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @param cursor after which the client receives all events; undefined if it is not known yet */
  joined(client: StreamClient, cursor: string | undefined): void {
    if (!client.receivesPositions) return;
    if (cursor === undefined) this.#waiting.add(client);
    else client.reach(createPosition(cursor));
  }

  left(client: StreamClient): void {
    this.#waiting.delete(client);
  }

  /**
   * Whether clients must receive the next position.
   * @param deliveredAt time of the stream's last event, by `performance.now()`
   */
  isDue(deliveredAt: number): boolean {
    return this.#waiting.size > 0 || this.#isQuiet(deliveredAt);
  }

  /**
   * Sends a position to the clients that must receive it.
   * @param clients the clients that have received every event up to the cursor, and none after it
   * @param deliveredAt see `isDue`
   */
  report(cursor: string, clients: Iterable<StreamClient>, deliveredAt: number): void {
    const position = createPosition(cursor);
    const isQuiet = this.#isQuiet(deliveredAt);
    for (const client of isQuiet ? clients : this.#waiting) client.reach(position);
    this.#waiting.clear();
    if (isQuiet) this.#reportedAt = performance.now();
  }

  #isQuiet(deliveredAt: number): boolean {
    return performance.now() - Math.max(deliveredAt, this.#reportedAt) >= REPEAT_AFTER_MS;
  }
}
