import { sessionToken } from '../../graph/session-token.ts';
import { useLive, useSignal } from '../live-context.tsx';
import { type Connection, isLost, labelOf, noticeOf } from './connection.ts';

const rate = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${Math.round(ms)} ms`;
}

function lampOf(connection: Connection): string {
  const { state, unavailable, isKafkaUnavailable } = connection;
  if (isLost(connection)) return 'down';
  if (state !== 'live') return 'unknown';
  return unavailable.length > 0 || isKafkaUnavailable ? 'degraded' : 'ok';
}

/** Shows the state of the connection, and the time from a change to its display. */
export function StatusStrip() {
  const live = useLive();
  const connection = useSignal(live.connection);
  const { orderMs, changeMs, changesPerSecond } = useSignal(live.speed);
  return (
    <dl className="strip sheet">
      <div>
        <dt>Connection</dt>
        <dd id="connection">
          <span className="lamp" data-state={lampOf(connection)} /> {labelOf(connection)}
        </dd>
      </div>
      <div>
        <dt>Order to screen</dt>
        <dd
          id="order-ms"
          className="number"
          title="From the button press until the result was painted"
        >
          {milliseconds(orderMs)}
        </dd>
      </div>
      <div>
        <dt>Change to screen</dt>
        <dd
          className="number"
          title="From the commit in the database until it was painted: median of the last 50 changes"
        >
          {milliseconds(changeMs)}
        </dd>
      </div>
      <div>
        <dt>Changes per second</dt>
        <dd className="number">{rate.format(changesPerSecond)}</dd>
      </div>
    </dl>
  );
}

/** Shows the problem, the functions that still work, and what happens next. */
export function ConnectionNotice() {
  const { connection } = useLive();
  const notice = noticeOf(useSignal(connection), useSignal(sessionToken));
  return (
    <div role="status" id="notice">
      {notice && (
        <p className="notice" data-tone={notice.tone}>
          <strong>{notice.title}.</strong> {notice.text}
        </p>
      )}
    </div>
  );
}
