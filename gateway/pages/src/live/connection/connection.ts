import type { SessionToken } from '../../graph/session-token.ts';

/** State of the connection to the gateway, and through it to the services. */
export interface Connection {
  readonly socket: 'connecting' | 'open' | 'lost' | 'refused';
  /** Start of this state, in ms since 1970. */
  readonly since: number;
  /** Reason why the gateway refused the connection. */
  readonly reason?: string;
  /** Services that do not answer the gateway, such as `stock`. */
  readonly unavailable: readonly string[];
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
  socket: 'connecting',
  since: Date.now(),
  unavailable: [],
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

/** Describes the connection in one or two words. */
export function labelOf(
  { socket, unavailable, loaded }: Connection,
  { refusal }: Pick<SessionToken, 'refusal'> = {},
): Notice['title'] {
  if (refusal !== undefined) return 'Refused';
  if (socket === 'lost') return 'Disconnected';
  if (socket === 'refused') return 'Refused';
  if (socket === 'connecting') return 'Connecting…';
  if (unavailable.length > 0) return 'Partly live';
  return loaded ? 'Live' : 'Loading…';
}

/** Returns the message at the top of the page; undefined if there is no problem. */
export function noticeOf(
  connection: Connection,
  token: SessionToken = { wanted: false },
): Notice | undefined {
  if (token.refusal !== undefined) {
    return {
      tone: 'down',
      title: 'The token is refused',
      text: `${token.refusal}. This page does not use it again. Enter another token below.`,
    };
  }
  return connectionNotice(connection) ?? tokenNotice(token);
}

function tokenNotice({ token, wanted }: SessionToken): Notice | undefined {
  if (token !== undefined || !wanted) return undefined;
  return {
    tone: 'degraded',
    title: 'Orders need a token',
    text: 'Stocks are public. To see and place orders, enter your token below.',
  };
}

function connectionNotice(connection: Connection): Notice | undefined {
  const { socket, since, reason, unavailable, foreign, loaded, caughtUp } = connection;
  if (foreign) {
    return {
      tone: 'degraded',
      title: 'This graph has no stocks',
      text: 'This page is made for the shop, and this gateway serves another graph.',
    };
  }
  if (socket === 'refused') {
    return {
      tone: 'down',
      title: 'The gateway refuses live streams',
      text: `${reason || 'It gives no reason'}. This page tries again every 10 seconds.`,
    };
  }
  if (socket === 'lost') {
    const state = loaded
      ? `The last update was at ${clock.format(since)}. `
      : 'Nothing is loaded yet. ';
    return {
      tone: 'down',
      title: 'The gateway does not answer',
      text: `${state}This page reconnects by itself and then shows what it missed.`,
    };
  }
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
  if (caughtUp !== undefined) {
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
  return undefined;
}
