import type { SessionToken } from '../../graph/session-token.ts';

/** How the page stands to the gateway, and through it to the services. */
export interface Connection {
  readonly socket: 'connecting' | 'open' | 'lost' | 'refused';
  /** Since when, in ms since 1970. */
  readonly since: number;
  /** Why it was refused, in the gateway's words. */
  readonly reason?: string;
  /** Services that the gateway could not ask, such as `stock`. */
  readonly unavailable: readonly string[];
  /** The graph has no stocks: it is another one. */
  readonly foreign: boolean;
  /** All stocks are on the page. */
  readonly loaded: boolean;
  /** Stocks brought up to date since the connection came back; absent once that is old news. */
  readonly caughtUp?: number;
}

export const AT_FIRST: Connection = {
  socket: 'connecting',
  since: Date.now(),
  unavailable: [],
  foreign: false,
  loaded: false,
};

export interface Notice {
  readonly tone: 'ok' | 'degraded' | 'down';
  readonly title: string;
  /** What still works, and what happens next. */
  readonly text: string;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** One or two words for the connection. */
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

/** What the page says across its width; undefined when all is as it should be. */
export function noticeOf(
  connection: Connection,
  token: SessionToken = { wanted: false },
): Notice | undefined {
  if (token.refusal !== undefined) {
    return {
      tone: 'down',
      title: 'The gateway does not take the token',
      text: `${token.refusal}. Nothing is asked with it again: give another one below.`,
    };
  }
  return troubleOf(connection) ?? missingOf(token);
}

/** What a page without a token does not show. */
function missingOf({ token, wanted }: SessionToken): Notice | undefined {
  if (token !== undefined || !wanted) return undefined;
  return {
    tone: 'degraded',
    title: 'Orders need a token',
    text: 'Stocks are shown to everybody. To see your orders and to make some, give the token that you have been issued.',
  };
}

function troubleOf(connection: Connection): Notice | undefined {
  const { socket, since, reason, unavailable, foreign, loaded, caughtUp } = connection;
  if (foreign) {
    return {
      tone: 'degraded',
      title: 'This graph has no stocks',
      text: 'The gateway serves another graph than the shop this page is made for.',
    };
  }
  if (socket === 'refused') {
    return {
      tone: 'down',
      title: 'The gateway refuses live streams',
      text: `${reason || 'It gives no reason'}. This page asks again every 10 seconds.`,
    };
  }
  if (socket === 'lost') {
    const state = loaded
      ? `What you see is as of ${clock.format(since)}. `
      : 'Nothing could be loaded yet. ';
    return {
      tone: 'down',
      title: 'The gateway does not answer',
      text: `${state}This page connects again by itself and fills in what it missed.`,
    };
  }
  if (unavailable.includes('stock') && unavailable.includes('order')) {
    return {
      tone: 'down',
      title: 'The stock and order services do not answer',
      text: 'Nothing can be ordered or changed for now. The page goes on by itself once they are back.',
    };
  }
  if (unavailable.includes('stock')) {
    const quantities = loaded
      ? 'Quantities stand as last seen and cannot be changed for now'
      : 'Quantities cannot be shown for now';
    return {
      tone: 'degraded',
      title: 'The stock service does not answer',
      text: `Ordering still works: orders are taken and settle once it is back. ${quantities}.`,
    };
  }
  if (unavailable.includes('order')) {
    return {
      tone: 'degraded',
      title: 'The order service does not answer',
      text: 'Quantities stay live, and stock can be added and adjusted. Ordering has to wait until it is back.',
    };
  }
  if (caughtUp !== undefined) {
    const stocks = caughtUp === 1 ? 'One stock had' : `${caughtUp} stocks had`;
    return {
      tone: 'ok',
      title: 'Connected again',
      text:
        caughtUp === 0
          ? 'Nothing had changed meanwhile.'
          : `${stocks} changed meanwhile, and are now up to date.`,
    };
  }
  return undefined;
}
