import { type Breach, byId, type History } from '../history.ts';

/**
 * Guarantee 5: the versions of a stock in a live stream never decrease, and the last state in the stream
 * equals the state in the database.
 */
export function liveStreams({ stocks, observed }: History): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 5, what });
  const stored = byId(stocks, ({ id }) => id);
  for (const { name, since, ended, seen } of observed.watchers) {
    if (ended) breach(`the server ended ${name}: ${ended}`);
    const last = new Map<string, { version: number; quantity: number }>();
    for (const { stockId, version, quantity } of seen) {
      const before = last.get(stockId);
      if (before && version < before.version) {
        breach(`${name} received version ${version} of ${stockId} after ${before.version}`);
      }
      if (before && version === before.version && quantity !== before.quantity) {
        breach(`${name} received two states of version ${version} of ${stockId}`);
      }
      if (!before || version >= before.version) last.set(stockId, { version, quantity });
    }
    for (const [stockId, version] of since) {
      const stock = stored.get(stockId);
      const shown = last.get(stockId);
      if (!stock || (!shown && stock.version === version)) continue;
      if (shown?.version !== stock.version || shown.quantity !== stock.quantity) {
        const state = shown ? `${shown.quantity} (version ${shown.version})` : 'nothing';
        breach(
          `the last state of ${stockId} at ${name} is ${state}; the database has ${stock.quantity} (version ${stock.version})`,
        );
      }
    }
  }
  return breaches;
}

/** The sequences of different statuses that a stream may send. */
const LEGAL = /^(PENDING)? ?(REJECTED|CONFIRMED|CANCELLED|CONFIRMED CANCELLED)?$/;

/**
 * Guarantee 5 for order streams: the statuses never go back, and the last one equals the status in the
 * database. Then the stream completes. A stream that completed with CONFIRMED may miss a later CANCELLED.
 */
export function orderStreams({ orders, observed }: History): Breach[] {
  const breaches: Breach[] = [];
  const stored = byId(orders, ({ id }) => id);
  for (const { name, orderId, seen, completed, errors } of observed.orderWatchers) {
    const breach = (what: string): void =>
      void breaches.push({ guarantee: 5, what: `${name} (order ${orderId}) ${what}` });
    for (const error of errors) breach(`received an error: ${error}`);
    const changes = seen.filter((status, index) => status !== seen[index - 1]);
    if (!LEGAL.test(changes.join(' '))) breach(`received ${changes.join(', then ')}`);
    const last = seen.at(-1);
    const is = stored.get(orderId)?.status;
    const isCancelledLater = last === 'CONFIRMED' && is === 'CANCELLED' && completed;
    if (last !== is && !isCancelledLater)
      breach(`received ${last ?? 'nothing'} last; the database has ${is}`);
    if (!completed) breach('did not complete after the decision');
  }
  return breaches;
}
