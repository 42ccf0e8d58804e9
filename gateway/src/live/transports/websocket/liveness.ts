import type { Socket } from 'node:net';

/** Detects whether a client is still connected; `check` must be called once per interval. */
export interface Liveness {
  /** Call when the client has sent a message or a pong. */
  readonly heard: () => void;
  /** Whether the client has shown a sign of life since the last call. */
  readonly check: () => boolean;
}

/**
 * Starts to watch a client. The client is alive if it answers pings or sends anything else. A
 * client with a slow connection reads a ping only after all data that was sent earlier, so reading
 * some of that data is also a sign of life.
 */
export function watchLiveness(raw: Pick<Socket, 'bytesWritten' | 'writableLength'>): Liveness {
  let heard = true;
  let taken = 0;
  let waiting = false;
  return {
    heard: () => {
      heard = true;
    },
    check: () => {
      const takenByNow = raw.bytesWritten - raw.writableLength;
      // Reading counts only if bytes were waiting, because the kernel accepts a ping even for a
      // vanished client.
      const reads = waiting && takenByNow > taken;
      const isAlive = heard || reads;
      heard = false;
      taken = takenByNow;
      waiting = raw.writableLength > 0;
      return isAlive;
    },
  };
}
