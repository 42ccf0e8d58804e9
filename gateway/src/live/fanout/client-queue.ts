import type { LivePayload } from '../upstream/live-payload.ts';

/** The most that waits for one client; beyond it the client has lagged. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** A payload on its way to one client, and how many older events it stands for there. */
export interface Delivery {
  readonly payload: LivePayload;
  conflated: number;
}

/** What waits for one client of one stream while its socket takes no more. */
export interface ClientQueue {
  readonly size: number;
  /** Adds a payload; false when the limits are passed, and then it is of no more use. */
  readonly add: (payload: LivePayload, conflated: number) => boolean;
  /** The oldest ones, about so many bytes and at least one. */
  readonly take: (bytes: number) => Delivery[];
  readonly clear: () => void;
}

/**
 * Payloads of a key replace the ones of the same key that still wait, and go to the end: what a
 * client has got is then always all up to the newest cursor it has seen.
 * @param onSize told by how much the queue grew or shrank
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
    take: (most) => {
      const taken: Delivery[] = [];
      let size = 0;
      for (const [name, delivery] of waiting) {
        if (taken.length > 0 && size + delivery.payload.json.length > most) break;
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
