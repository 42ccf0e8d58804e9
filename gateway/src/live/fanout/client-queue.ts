import type { ByteHold } from '../../limits/byte-budget.ts';
import type { LivePayload } from '../upstream/live-payload.ts';

/** Limits of one client's queue. A client whose queue exceeds a limit has lagged. */
export interface QueueLimits {
  readonly messages: number;
  /** Maximum size of the payloads; a single payload may be larger. */
  readonly bytes: number;
}

/** A payload in a client's queue, with its conflated count for this client. */
export interface Delivery {
  readonly payload: LivePayload;
  readonly conflated: number;
}

/** Payloads that wait for one client of one stream while its socket is full. */
export interface ClientQueue {
  /** Number of payloads. */
  readonly size: number;
  /** Adds a payload. Returns false when a limit is exceeded; the queue must then be discarded. */
  readonly add: (payload: LivePayload, conflated: number) => boolean;
  /**
   * Removes and returns the oldest payloads: as many as fit into this number of bytes, and at least
   * one.
   */
  readonly take: (bytes: number) => Delivery[];
  readonly clear: () => void;
}

/**
 * Creates a queue in which a new payload replaces a waiting payload of the same key, but is added
 * at the end. The queue therefore keeps the order of the stream, and a client that resumes from its
 * newest cursor receives every later payload.
 * @param hold the bytes of the queue, towards the client's connection
 * @param onSize called with the change of the queue's size
 */
export function createClientQueue(
  limits: QueueLimits,
  hold: ByteHold,
  onSize: (change: number) => void,
): ClientQueue {
  const waiting = new Map<string | LivePayload, Delivery>();

  const remove = (name: string | LivePayload, delivery: Delivery): void => {
    waiting.delete(name);
    hold.release(delivery.payload.size);
    onSize(-1);
  };

  return {
    get size() {
      return waiting.size;
    },
    add: (payload, conflated) => {
      const name = payload.key ?? payload;
      const older = waiting.get(name);
      if (older) remove(name, older);
      if (waiting.size >= limits.messages) return false;
      if (waiting.size > 0 && hold.bytes + payload.size > limits.bytes) return false;
      if (!hold.reserve(payload.size)) return false;
      waiting.set(name, { payload, conflated: conflated + (older ? older.conflated + 1 : 0) });
      onSize(1);
      return true;
    },
    take: (bytes) => {
      const taken: Delivery[] = [];
      let size = 0;
      for (const [name, delivery] of waiting) {
        if (taken.length > 0 && size + delivery.payload.bytes.length > bytes) break;
        size += delivery.payload.bytes.length;
        taken.push(delivery);
        remove(name, delivery);
      }
      return taken;
    },
    clear: () => {
      onSize(-waiting.size);
      waiting.clear();
      hold.releaseAll();
    },
  };
}
