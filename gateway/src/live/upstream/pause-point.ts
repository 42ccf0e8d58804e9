/**
 * Finds the points at which a subscription can be closed and later continued without a loss or a
 * repetition.
 *
 * Several events may have the same cursor, for example all events of a snapshot. The subscription
 * can therefore continue after a cursor only once an event with another cursor, or a position
 * report, has followed. If the subgraph sends position reports, cursors of events count only after
 * a report: before it, the subscription may be ahead of the subgraph's position. They also count once
 * the subgraph has announced a snapshot, which continues after each of its rows.
 */
export class PausePoint {
  #isReported = false;
  #lastCursor: string | undefined;

  /**
   * Adds an event. @returns whether the subscription can continue after the events before this one
   */
  precedes(cursor: string | undefined, reportsPositions: boolean): boolean {
    const last = this.#lastCursor;
    this.#lastCursor = cursor ?? last;
    if (last === undefined || cursor === undefined || cursor === last) return false;
    return this.#isReported || !reportsPositions;
  }

  /** Adds a position report. @returns whether the subscription can continue after this position */
  report(position: string | null): boolean {
    this.#isReported = position !== null;
    this.#lastCursor = position ?? undefined;
    return position !== null;
  }

  /** Adds the announcement of a snapshot. */
  snapshot(): void {
    this.#isReported = true;
    this.#lastCursor = undefined;
  }

  /** Call when the subscription is opened again. Its first event is never a point. */
  reset(): void {
    this.#isReported = false;
    this.#lastCursor = undefined;
  }
}
