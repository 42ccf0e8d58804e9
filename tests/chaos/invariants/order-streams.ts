import { type Breach, byId, type History } from '../history-tools.ts';

/** Guarantee 5, for one order's stream: PENDING, then its final status, which is the database's; then it is over. */
export function orderStreams({ orders, told }: History): Breach[] {
  const breaches: Breach[] = [];
  const stored = byId(orders, ({ id }) => id);
  for (const { name, orderId, seen, completed, errors } of told.orderWatchers) {
    const breach = (what: string): void =>
      void breaches.push({ guarantee: 5, what: `${name} (order ${orderId}) ${what}` });
    for (const error of errors) breach(`was told of an error: ${error}`);
    const final = seen.findIndex((status) => status !== 'PENDING');
    const after = final < 0 ? [] : seen.slice(final);
    if (new Set(after).size > 1) breach(`saw ${after.join(', then ')}`);
    const last = seen.at(-1);
    const is = stored.get(orderId)?.status;
    if (last !== is) breach(`saw last ${last ?? 'nothing'}; the database has ${is}`);
    if (!completed) breach('goes on after the decision');
  }
  return breaches;
}
