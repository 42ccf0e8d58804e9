import type { LivePayload } from '../upstream/live-payload.ts';

/** The newest payload of each key, for those who join later. */
export interface Retained {
  /** Keeps a payload; false when it repeats what is kept after a reconnect: nobody needs it. */
  readonly keep: (payload: LivePayload) => boolean;
  /** The subgraph begins anew: what it sends next may repeat what is kept. */
  readonly begunAgain: () => void;
  /** What whoever joins begins with; undefined once some of it is no longer kept. */
  readonly payloads: () => readonly LivePayload[] | undefined;
}

/** @param limit the most payloads kept */
export function createRetained(limit: number): Retained {
  const kept = new Map<string, { payload: LivePayload; era: number }>();
  let era = 0;
  let whole = true;
  return {
    keep: (payload) => {
      if (payload.key === undefined) return true;
      const known = kept.get(payload.key);
      const repeats = known && known.era < era && known.payload.json === payload.json;
      kept.delete(payload.key);
      kept.set(payload.key, { payload, era });
      if (kept.size > limit) {
        whole = false;
        kept.clear();
      }
      return !repeats;
    },
    begunAgain: () => {
      era += 1;
    },
    payloads: () => (whole ? [...kept.values()].map(({ payload }) => payload) : undefined),
  };
}
