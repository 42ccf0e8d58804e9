import { useLive } from '../live-context.tsx';
import { sessionToken } from '../../graph/session-token.ts';
import { useSignal } from '../use-signal.ts';
import { type Connection, labelOf, noticeOf } from './connection.ts';

const rate = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${Math.round(ms)} ms`;
}

function lampOf({ socket, unavailable }: Connection, isRefused: boolean): string {
  if (isRefused) return 'down';
  if (socket === 'lost' || socket === 'refused') return 'down';
  if (socket === 'connecting') return 'unknown';
  return unavailable.length > 0 ? 'degraded' : 'ok';
}

/** The connection in a word, and how fast what happens is seen. */
export function StatusStrip() {
  const live = useLive();
  const connection = useSignal(live.connection);
  const token = useSignal(sessionToken);
  const { orderMs, changeMs, changesPerSecond } = useSignal(live.speed);
  return (
    <dl className="strip sheet">
      <div>
        <dt>Connection</dt>
        <dd id="connection">
          <span className="lamp" data-state={lampOf(connection, token.refusal !== undefined)} />{' '}
          {labelOf(connection, token)}
        </dd>
      </div>
      <div>
        <dt>Order to screen</dt>
        <dd
          id="order-ms"
          className="number"
          title="From the press of the button until it was painted"
        >
          {milliseconds(orderMs)}
        </dd>
      </div>
      <div>
        <dt>Change to screen</dt>
        <dd
          className="number"
          title="From its commit until it was painted; the median of the last 50"
        >
          {milliseconds(changeMs)}
        </dd>
      </div>
      <div>
        <dt>Changes a second</dt>
        <dd className="number">{rate.format(changesPerSecond)}</dd>
      </div>
    </dl>
  );
}

/** Across the page: what is wrong, what still works, what happens next. */
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
