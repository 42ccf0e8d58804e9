import { type Client, CloseCode, createClient } from 'graphql-ws';
import {
  anotherToken,
  authorization,
  noteUnauthenticated,
  sessionToken,
} from '../../graph/session-token.ts';

const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 3_000;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** The gateway's: the token of `connection_init` is no good, or no longer. */
const TOKEN_REFUSED = [CloseCode.Forbidden, 4481] as readonly number[];

export interface GraphSocketEvents {
  /** @param again whether it was open before */
  readonly onOpen: (again: boolean) => void;
  readonly onLost: () => void;
  /** Closed with a code after which asking at once is no use. */
  readonly onRefused: (reason: string) => void;
}

/** A websocket to the gateway that is made again for ever; its subscriptions are too. */
export function openGraphSocket({ onOpen, onLost, onRefused }: GraphSocketEvents): Client {
  let opened = 0;
  let shown: string | undefined;
  let pong: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: () => `${location.origin.replace('http', 'ws')}/graphql`,
    lazy: false,
    connectionParams: () => {
      shown = authorization().authorization;
      return authorization();
    },
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      await anotherToken();
      await waitOrOnline(retries);
    },
    onNonLazyError: (error) => onRefused(reasonOf(error)),
    on: {
      connected: () => {
        opened += 1;
        onOpen(opened > 1);
      },
      closed: (event) => {
        clearTimeout(pong);
        // With another token this page has hung up itself, and is back at once.
        if (authorization().authorization === shown) onLost();
        const { code, reason } = event as CloseEvent;
        if (shown !== undefined && TOKEN_REFUSED.includes(code)) {
          noteUnauthenticated(shown, reason);
        }
      },
      ping: (received) => {
        // A gateway that is cut off closes nothing: it only stays silent.
        if (!received) pong = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: () => clearTimeout(pong),
    },
  });
  // What is watched by the one before is not what the next may see.
  sessionToken.subscribe(() => {
    if (authorization().authorization !== shown) client.terminate();
  });
  return client;
}

/** With jitter, so that many pages do not come back at once; at once when the network is back. */
function waitOrOnline(retries: number): Promise<void> {
  const longest = Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** Math.min(retries, 8));
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, longest * (0.5 + Math.random() / 2));
    addEventListener('online', done);
  });
}

function reasonOf(error: unknown): string {
  const { code, reason } = (error ?? {}) as { code?: number; reason?: string };
  return reason || (code === undefined ? '' : (CloseCode[code] ?? `It closes with ${code}`));
}
