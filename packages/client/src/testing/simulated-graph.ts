import type { PageRows } from '../list/list-model.ts';
import type { ListChange } from '../list/live-list-options.ts';

export interface Row {
  readonly id: string;
  readonly version: number;
  /** The query sorts by it. Several rows may have the same. */
  readonly key: number;
  /** The query's filter. */
  readonly matching: boolean;
  readonly deleted: boolean;
}

export type Message =
  | { readonly change: ListChange<Row>; readonly begin?: undefined; readonly end?: undefined }
  | { readonly begin: { readonly reset: boolean }; readonly end?: undefined }
  | { readonly begin?: undefined; readonly end: { readonly complete: boolean } };

/** How the snapshots of a stream are made. */
export interface StreamKind {
  /** Whether snapshots name all rows and are complete; otherwise the rows that changed since the cursor. */
  readonly complete: boolean;
  /** Whether the stream sends only changes of rows that match before or after the change. */
  readonly filtered: boolean;
}

interface RunningSnapshot {
  /** Ids that are still to be read, in order. */
  readonly ids: string[];
  /** The cursor that it was sent for. */
  readonly since: number;
  readonly complete: boolean;
}

/** A table with its history, its query in pages and its stream of changes, without a network. */
export class SimulatedGraph {
  readonly #kind: StreamKind;
  /** The table after each change. */
  readonly #history: ReadonlyMap<string, Row>[] = [new Map()];
  /** The change that led to each state of the history. */
  readonly #changes: { readonly before: Row | undefined; readonly after: Row }[] = [];
  /** Number of changes that the stream has sent or skipped. */
  #sent = 0;
  /** The first state that a query can still read. */
  #first = 0;
  /** The first state whose changes a resumed stream sends again. */
  #resumable = 0;
  #resetPending = false;
  #snapshot: RunningSnapshot | undefined;

  constructor(kind: StreamKind) {
    this.#kind = kind;
  }

  get now(): number {
    return this.#history.length - 1;
  }

  get hasUnsent(): boolean {
    return this.#resetPending || this.#snapshot !== undefined || this.#sent < this.now;
  }

  /** Begins the stream after a cursor. */
  seek(cursor: number): void {
    this.#sent = cursor;
  }

  write(row: Omit<Row, 'version'>): void {
    const before = this.#table().get(row.id);
    const after = { ...row, version: (before?.version ?? 0) + 1 };
    this.#history.push(new Map(this.#table()).set(row.id, after));
    this.#changes.push({ before, after });
  }

  /** Replaces the table by an earlier state of it, so that versions go back. */
  restore(changesAgo: number): void {
    const state = this.#history[Math.max(0, this.now - changesAgo)] ?? new Map();
    this.#history.push(state);
    this.#changes.push({ before: undefined, after: NO_ROW });
    this.#first = this.now;
    this.#resetPending = true;
    this.#snapshot = undefined;
  }

  /** @param at state that is read; later than the last restored one */
  page(at: number, after: string | null, size: number): PageRows<Row> {
    const rows = this.rows(Math.max(at, this.#first));
    const start = after === null ? 0 : rows.findIndex((row) => order(row, JSON.parse(after)) > 0);
    const items = start < 0 ? [] : rows.slice(start, start + size);
    const last = items.at(-1);
    return {
      items,
      endCursor: last ? JSON.stringify(last) : null,
      hasNextPage: start >= 0 && start + size < rows.length,
    };
  }

  /** The rows that the query returns, at a state of the history. */
  rows(at = this.now): Row[] {
    const all = [...(this.#history[at] ?? new Map<string, Row>()).values()];
    return all.filter((row) => row.matching && !row.deleted).sort(order);
  }

  /** Loses the connection: the last messages are sent again. A snapshot continues where it was. */
  cut(changesLost: number): void {
    if (this.#snapshot || this.#resetPending) return;
    this.#sent = Math.max(this.#resumable, this.#sent - changesLost);
  }

  /** The stream cannot send the changes since its cursor, and sends a snapshot instead. */
  expire(): Message[] {
    const reset = this.#resetPending;
    this.#resetPending = false;
    // A snapshot that replaces an unfinished one names at least as much.
    const since = this.#snapshot?.since ?? this.#sent;
    const complete = this.#kind.complete || reset || this.#snapshot?.complete === true;
    const ids = [...this.#table().keys()].filter((id) => complete || this.#changedSince(since, id));
    this.#snapshot = { ids: ids.sort(), since, complete };
    this.#sent = this.now;
    this.#resumable = this.now;
    return [{ begin: { reset } }];
  }

  /** Sends the next changes, or rows of a snapshot. Of each id only the last of these changes, if conflated. */
  send(count: number, conflated: boolean): Message[] {
    if (this.#resetPending) return this.expire();
    if (this.#snapshot) return this.#sendSnapshot(this.#snapshot, count);
    const end = Math.min(this.now, this.#sent + count);
    const changes = this.#changes
      .slice(this.#sent, end)
      .filter(({ before, after }) => !this.#kind.filtered || before?.matching || after.matching);
    this.#sent = end;
    const isLast = ({ after }: { after: Row }, index: number) =>
      !conflated || !changes.slice(index + 1).some((later) => later.after.id === after.id);
    return changes.filter(isLast).map(({ after }) => toMessage(after));
  }

  #sendSnapshot(snapshot: RunningSnapshot, count: number): Message[] {
    // Each row is read when it is sent, so that the snapshot shows no state that ever existed as a whole.
    const rows = snapshot.ids.splice(0, count).flatMap((id) => this.#table().get(id) ?? []);
    const named = rows.filter(
      (row) => !snapshot.complete || !this.#kind.filtered || row.matching || row.deleted,
    );
    const messages = named.map(toMessage);
    if (snapshot.ids.length > 0) return messages;
    this.#snapshot = undefined;
    return [...messages, { end: { complete: snapshot.complete } }];
  }

  #changedSince(cursor: number, id: string): boolean {
    return this.#changes.slice(cursor).some(({ after }) => after.id === id);
  }

  #table(): ReadonlyMap<string, Row> {
    return this.#history.at(-1) ?? new Map();
  }
}

const NO_ROW: Row = { id: '', version: 0, key: 0, matching: false, deleted: true };

function toMessage(row: Row): Message {
  return { change: { item: row, deleted: row.deleted } };
}

/** The order of the query: by key, then by id. */
function order(a: Row, b: Row): number {
  return a.key - b.key || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
