/** A period in which a subgraph has answered no request of a stream. */
interface Outage {
  readonly since: number;
  readonly until: number;
}

/**
 * Time for which the events of a stream have waited for subgraphs that do not answer. Events are executed in
 * order, so the events that arrive during a time-out wait for its end. If each of them then waited for a
 * time-out of its own, a stream would fall behind for as long as the subgraph hangs. Waits for anything else,
 * such as a turn, do not count. All times are by `performance.now()`.
 */
export class SubgraphWaits {
  readonly #outages = new Map<string, Outage>();

  /** Returns the time that an event has waited for a subgraph, in milliseconds. */
  of(subgraph: string, arrived: number): number {
    const outage = this.#outages.get(subgraph);
    return outage ? Math.max(0, outage.until - Math.max(outage.since, arrived)) : 0;
  }

  /** Call when a request has failed. @param sentAt time of sending */
  failed(subgraph: string, sentAt: number): void {
    const since = this.#outages.get(subgraph)?.since ?? sentAt;
    this.#outages.set(subgraph, { since, until: performance.now() });
  }

  answered(subgraph: string): void {
    this.#outages.delete(subgraph);
  }
}
