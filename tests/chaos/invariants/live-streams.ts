import { type Breach, byId, type History } from '../history-tools.ts';

/** Guarantee 5: no live stream goes back, and the last state it shows is the database's. */
export function liveStreams({ stocks, told }: History): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 5, what });
  const stored = byId(stocks, ({ id }) => id);
  for (const { name, since, ended, seen } of told.watchers) {
    if (ended) breach(`${name} was ended: ${ended}`);
    const last = new Map<string, { version: number; quantity: number }>();
    for (const { stockId, version, quantity } of seen) {
      const before = last.get(stockId);
      if (before && version < before.version) {
        breach(`${name} saw version ${version} of ${stockId} after ${before.version}`);
      }
      if (before && version === before.version && quantity !== before.quantity) {
        breach(`${name} saw two states of version ${version} of ${stockId}`);
      }
      if (!before || version >= before.version) last.set(stockId, { version, quantity });
    }
    for (const [stockId, version] of since) {
      const stock = stored.get(stockId);
      const shown = last.get(stockId);
      if (!stock || (!shown && stock.version === version)) continue;
      if (shown?.version !== stock.version || shown.quantity !== stock.quantity) {
        const state = shown ? `with ${shown.quantity} (version ${shown.version})` : 'not at all';
        breach(
          `${name} saw ${stockId} last ${state}; the database has ${stock.quantity} (version ${stock.version})`,
        );
      }
    }
  }
  return breaches;
}
