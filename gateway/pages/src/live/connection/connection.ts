import type { ConnectionState } from '@gudang/client';
import { refusalText } from '../../graph/graph-errors.ts';
import type { SessionToken } from '../../graph/session-token.ts';

/** State of the parts behind the gateway. */
export interface Services {
  /** Services that do not answer the gateway, such as `stock`. */
  readonly unavailable: readonly string[];
  /** Whether the services cannot reach Kafka. */
  readonly isKafkaUnavailable: boolean;
}

/** State of the connection to the gateway, and through it to the services and Kafka. */
export interface Connection extends Services {
  readonly state: ConnectionState;
  /** Whether all streams were live at least once. */
  readonly wasLive: boolean;
  /** Time of the last update, in ms since 1970, while the connection is lost. */
  readonly since: number;
  /** The gateway's reason for rejecting streams, if it answers at all. */
  readonly rejection?: string | undefined;
  /** Whether the last check of the services got no answer. */
  readonly isUnreachable: boolean;
  /** Whether the gateway serves a graph without stocks. */
  readonly foreign: boolean;
  /** Whether all stocks were queried. */
  readonly loaded: boolean;
  /**
   * Number of stocks that changed while the page was disconnected; undefined if there is nothing to
   * report.
   */
  readonly caughtUp?: number | undefined;
}

export const INITIAL: Connection = {
  state: 'connecting',
  wasLive: false,
  since: Date.now(),
  isUnreachable: false,
  unavailable: [],
  isKafkaUnavailable: false,
  foreign: false,
  loaded: false,
};

export interface Notice {
  readonly tone: 'ok' | 'degraded' | 'down';
  readonly title: string;
  /** Says which functions still work and what happens next. */
  readonly text: string;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Whether the page has no connection, and this is not only because it has just been opened. */
export function isLost({ state, wasLive, isUnreachable }: Connection): boolean {
  return state === 'offline' || (state === 'connecting' && (wasLive || isUnreachable));
}

/** Describes the connection in one or two words. */
export function labelOf(connection: Connection): string {
  const { state, wasLive, unavailable, isKafkaUnavailable, loaded } = connection;
  if (isLost(connection)) return 'Disconnected';
  if (unavailable.length > 0 || isKafkaUnavailable) return 'Partly live';
  if (state === 'catching-up' && wasLive) return 'Catching up…';
  if (state !== 'live') return 'Connecting…';
  return loaded ? 'Live' : 'Loading…';
}

/** Returns the message at the top of the page; undefined if there is no problem. */
export function noticeOf(
  connection: Connection,
  token: SessionToken = { wanted: false },
): Notice | undefined {
  return (
    (connection.foreign ? FOREIGN : undefined) ??
    connectionNotice(connection) ??
    signedOutNotice(token) ??
    outageNotice(connection) ??
    signInNotice(token) ??
    caughtUpNotice(connection)
  );
}

const FOREIGN: Notice = {
  tone: 'degraded',
  title: 'This graph has no stocks',
  text: 'This page is made for the shop, and this gateway serves another graph.',
};

function signedOutNotice({ refusal }: SessionToken): Notice | undefined {
  if (refusal === undefined) return undefined;
  return {
    tone: 'down',
    title: 'You are signed out',
    text: `${refusalText(refusal)} Sign in again below. Quantities stay live.`,
  };
}

function signInNotice({ token, wanted }: SessionToken): Notice | undefined {
  if (token !== undefined || !wanted) return undefined;
  return {
    tone: 'degraded',
    title: 'You are not signed in',
    text: 'You can see all stocks. Sign in below to place orders and to see your own orders.',
  };
}

function connectionNotice(connection: Connection): Notice | undefined {
  const { since, rejection, loaded } = connection;
  if (!isLost(connection)) return undefined;
  if (rejection !== undefined) {
    return {
      tone: 'down',
      title: 'The gateway rejects live streams',
      text: `${rejection} This page tries again by itself.`,
    };
  }
  const state = loaded
    ? `The last update was at ${clock.format(since)}. `
    : 'Nothing is loaded yet. ';
  return {
    tone: 'down',
    title: 'The gateway does not answer',
    text: `${state}This page reconnects by itself and then shows what it missed.`,
  };
}

function outageNotice({ unavailable, isKafkaUnavailable, loaded }: Connection): Notice | undefined {
  if (unavailable.includes('stock') && unavailable.includes('order')) {
    return {
      tone: 'down',
      title: 'The stock and order services do not answer',
      text: 'Orders and stock changes are not possible now. This page continues when the services are back.',
    };
  }
  if (unavailable.includes('stock')) {
    const quantities = loaded
      ? 'Quantities are the last known ones and cannot be changed now'
      : 'Quantities cannot be shown now';
    return {
      tone: 'degraded',
      title: 'The stock service does not answer',
      text: `Ordering still works: orders are accepted now and decided when it is back. ${quantities}.`,
    };
  }
  if (unavailable.includes('order')) {
    return {
      tone: 'degraded',
      title: 'The order service does not answer',
      text: 'Quantities stay live, and stock can be added and adjusted. Ordering is possible when it is back.',
    };
  }
  if (isKafkaUnavailable) {
    return {
      tone: 'degraded',
      title: 'Kafka is unavailable',
      text: 'Ordering still works: orders are stored now and decided when Kafka is back. Changes appear here then, and none is lost.',
    };
  }
  return undefined;
}

function caughtUpNotice({ caughtUp }: Connection): Notice | undefined {
  if (caughtUp === undefined) return undefined;
  const stocks = caughtUp === 1 ? '1 stock' : `${caughtUp} stocks`;
  return {
    tone: 'ok',
    title: 'Connected again',
    text:
      caughtUp === 0
        ? 'No stock changed in the meantime.'
        : `${stocks} changed in the meantime and the page is up to date.`,
  };
}
