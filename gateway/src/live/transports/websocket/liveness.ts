import type { Socket } from 'node:net';

/** Whether a client is still there, asked once an interval. */
export interface Liveness {
  /** It has said something. */
  readonly heard: () => void;
  /** Whether it has shown that it is there since this was last asked. */
  readonly shown: () => boolean;
}

/**
 * A client is there when it answers pings or says anything else. One on a slow line reads the ping
 * only behind all that waits for it, so it is there too as long as it takes some of that.
 */
export function watchLiveness(raw: Pick<Socket, 'bytesWritten' | 'writableLength'>): Liveness {
  let heard = true;
  let taken = 0;
  let waiting = false;
  return {
    heard: () => {
      heard = true;
    },
    shown: () => {
      const takenByNow = raw.bytesWritten - raw.writableLength;
      // With nothing waiting it says little: the kernel takes bytes for whoever has vanished, too.
      const reads = waiting && takenByNow > taken;
      const there = heard || reads;
      heard = false;
      taken = takenByNow;
      waiting = raw.writableLength > 0;
      return there;
    },
  };
}
