import type { LivePayload } from '../upstream/live-payload.ts';

/** Limits of one client's queue. A client whose queue exceeds a limit has lagged. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** A payload in a client's queue, with its conflated count for this client. */
export interface Delivery {
  readonly payload: LivePayload;
  readonly conflated: number;
}

/** Payloads that wait for one client of one stream while its socket is full. */
export interface ClientQueue {
  readonly size: number;
  /** Adds a payload. Returns false when a limit is exceeded; the queue must then be discarded. */
  readonly add: (payload: LivePayload, conflated: number) => boolean;
  /**
   * Removes and returns the oldest payloads: as many as fit into this number of characters, and at
   * least one.
   */
  readonly take: (characters: number) => Delivery[];
  readonly clear: () => void;
}

/**
 * Creates a queue in which a new payload replaces a waiting payload of the same key, but is added
 * at the end. The queue therefore keeps the order of the stream, and a client that resumes from its
 * newest cursor receives every later payload.
 * @param onSize called with the change of the queue's size
 */
export function createClientQueue(
  limits: QueueLimits,
  onSize: (change: number) => void,
): ClientQueue {
  const waiting = new Map<string | LivePayload, Delivery>();
  let bytes = 0;

  const remove = (name: string | LivePayload, delivery: Delivery): void => {
    waiting.delete(name);
    bytes -= delivery.payload.json.length;
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
      waiting.set(name, { payload, conflated: conflated + (older ? older.conflated + 1 : 0) });
      bytes += payload.json.length;
      onSize(1);
      return waiting.size <= limits.messages && bytes <= limits.bytes;
    },
    take: (characters) => {
      const taken: Delivery[] = [];
      let size = 0;
      for (const [name, delivery] of waiting) {
        if (taken.length > 0 && size + delivery.payload.json.length > characters) break;
        size += delivery.payload.json.length;
        taken.push(delivery);
        remove(name, delivery);
      }
      return taken;
    },
    clear: () => {
      onSize(-waiting.size);
      waiting.clear();
      bytes = 0;
    },
  };
}
