import type { ByteHold } from '../../limits/byte-account.ts';
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
 * newest cursor receives every later payload. A payload without a key, such as a marker of a snapshot, is
 * not replaced, and later payloads replace none before it.
 * @param hold the bytes of the queue, towards the client's connection
 * @param onSize called with the change of the queue's size
 */
export function createClientQueue(
  limits: QueueLimits,
  hold: ByteHold,
  onSize: (change: number) => void,
): ClientQueue {
  const waiting = new Map<LivePayload, Delivery>();
  /** The payloads that can be replaced, by key: those since the last payload without a key. */
  const newest = new Map<string, LivePayload>();

  const remove = (payload: LivePayload): void => {
    const { key } = payload;
    waiting.delete(payload);
    if (key !== undefined && newest.get(key) === payload) newest.delete(key);
    hold.release(payload.size);
    onSize(-1);
  };

  return {
    get size() {
      return waiting.size;
    },
    add: (payload, conflated) => {
      const { key } = payload;
      const replaced = key === undefined ? undefined : newest.get(key);
      const older = replaced && waiting.get(replaced);
      if (replaced) remove(replaced);
      if (waiting.size >= limits.messages) return false;
      if (waiting.size > 0 && hold.bytes + payload.size > limits.bytes) return false;
      if (!hold.reserve(payload.size)) return false;
      if (key === undefined) newest.clear();
      else newest.set(key, payload);
      waiting.set(payload, { payload, conflated: conflated + (older ? older.conflated + 1 : 0) });
      onSize(1);
      return true;
    },
    take: (bytes) => {
      const taken: Delivery[] = [];
      let size = 0;
      for (const delivery of waiting.values()) {
        const { payload } = delivery;
        if (taken.length > 0 && size + payload.bytes.length > bytes) break;
        size += payload.bytes.length;
        taken.push(delivery);
        remove(payload);
      }
      return taken;
    },
    clear: () => {
      onSize(-waiting.size);
      waiting.clear();
      newest.clear();
      hold.releaseAll();
    },
  };
}
