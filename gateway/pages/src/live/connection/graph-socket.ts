import { type Client, CloseCode, createClient } from 'graphql-ws';
import {
  authorization,
  noteUnauthenticated,
  sessionToken,
  usableToken,
} from '../../graph/session-token.ts';

const WAIT_MIN_MS = 250;
const WAIT_MAX_MS = 3_000;
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** Close codes with which the gateway reports that the token is refused or has expired. */
const TOKEN_REFUSED = [CloseCode.Forbidden, 4481] as readonly number[];

export interface GraphSocketEvents {
  /** @param again whether this is a reconnect */
  readonly onOpen: (again: boolean) => void;
  readonly onLost: () => void;
  /**
   * Called when the gateway has closed the connection with a code after which graphql-ws does not
   * reconnect.
   */
  readonly onRefused: (reason: string) => void;
}

/** Opens a websocket to the gateway. graphql-ws reconnects indefinitely and subscribes again. */
export function openGraphSocket({ onOpen, onLost, onRefused }: GraphSocketEvents): Client {
  let opened = 0;
  let sent: string | undefined;
  let pong: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: () => `${location.origin.replace('http', 'ws')}/graphql`,
    lazy: false,
    connectionParams: () => {
      sent = authorization().authorization;
      return authorization();
    },
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      await usableToken();
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
        // After a change of the token, the page itself closes the socket and reconnects at once, so
        // this close does not count as a lost connection.
        if (authorization().authorization === sent) onLost();
        const { code, reason } = event as CloseEvent;
        if (sent !== undefined && TOKEN_REFUSED.includes(code)) {
          noteUnauthenticated(sent, reason);
        }
      },
      ping: (received) => {
        // If the network fails, no close event arrives. The client detects the outage only by the
        // missing pong.
        if (!received) pong = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: () => clearTimeout(pong),
    },
  });
  // A different token may give access to different data, so the client reconnects with it.
  sessionToken.subscribe(() => {
    if (authorization().authorization !== sent) client.terminate();
  });
  return client;
}

/** Waits with jitter, so that many pages do not reconnect at once; ends early when the network is back. */
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
  return reason || (code === undefined ? '' : (CloseCode[code] ?? `Close code ${code}`));
}
