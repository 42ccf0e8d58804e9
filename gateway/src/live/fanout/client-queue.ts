import type { LivePayload } from '../upstream/live-payload.ts';

/** The most that waits for one client; beyond it the client has lagged. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** A payload on its way to one client, and its conflated count there. */
export interface Delivery {
  readonly payload: LivePayload;
  readonly conflated: number;
}

/** Payloads that wait for one client of one stream while its socket is full. */
export interface ClientQueue {
  readonly size: number;
  /** Adds a payload; false when the limits are passed: the queue is then of no more use. */
  readonly add: (payload: LivePayload, conflated: number) => boolean;
  /** Takes the oldest payloads: about so many characters, and at least one payload. */
  readonly take: (characters: number) => Delivery[];
  readonly clear: () => void;
}

/**
 * A payload replaces the one of the same key that still waits, and goes to the end: a client has
 * then always received everything up to the newest cursor it has seen.
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
