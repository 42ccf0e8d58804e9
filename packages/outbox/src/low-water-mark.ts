import type { OutboxRow } from './outbox-row.ts';

/**
 * Number of sent rows after which the mark is moved. A read skips at most the rows that were sent since
 * the mark's last move: with 1,000 dead rows, it takes 0.2 ms longer.
 */
const STEP_ROWS = 500;

/** An id up to which all rows are final as soon as these transactions have ended. */
interface Candidate {
  readonly id: number;
  readonly writers: readonly string[];
}

/**
 * The low-water mark of an outbox: each row with this id or a lower id is final, which means that it was
 * sent or was never committed. Reads begin above the mark. Without it, a read would skip every row that
 * was deleted since the oldest snapshot on the database began: with a backup in progress, PostgreSQL
 * removes no dead rows, and 12 million of them delay a read by 8 s.
 *
 * Ids are assigned before a transaction commits, so a row may appear below the ids that were read. A
 * transaction takes a ROW EXCLUSIVE lock on the table before it takes ids, and keeps the lock until it
 * ends. Therefore, all ids up to an id that was read are final once the transactions that hold the lock
 * at a later time have ended.
 */
export class LowWaterMark {
  #mark: number;
  /** All rows up to this id are final, but some may still wait to be sent. */
  #finalId: number;
  /** The highest id that was read. */
  #readId: number;
  #rowsSinceStep = 0;
  #candidate: Candidate | undefined;

  constructor(mark: number) {
    this.#mark = mark;
    this.#finalId = mark;
    this.#readId = mark;
  }

  get value(): number {
    return this.#mark;
  }

  /** Notes the result of a read of the rows above the mark, in the order of their ids. */
  read(rows: readonly Pick<OutboxRow, 'id'>[]): void {
    const first = rows.at(0);
    const last = rows.at(-1);
    if (this.#finalId > this.#mark) {
      const oldest = first === undefined ? Number.POSITIVE_INFINITY : Number(first.id);
      this.#mark = Math.max(this.#mark, Math.min(this.#finalId, oldest - 1));
    }
    if (last !== undefined) this.#readId = Math.max(this.#readId, Number(last.id));
    this.#rowsSinceStep += rows.length;
  }

  /**
   * Prepares a move of the mark if enough rows were read since the last call. The next read moves it.
   * @param findWriters returns the transactions that hold a ROW EXCLUSIVE lock on the outbox
   */
  async advance(findWriters: () => Promise<readonly string[]>): Promise<void> {
    if (this.#rowsSinceStep < STEP_ROWS) return;
    this.#rowsSinceStep = 0;
    const id = this.#readId;
    const writers = await findWriters();
    const candidate = this.#candidate;
    if (candidate && !candidate.writers.some((writer) => writers.includes(writer))) {
      this.#finalId = candidate.id;
      this.#candidate = undefined;
    }
    if (writers.length === 0) {
      this.#finalId = id;
      this.#candidate = undefined;
    } else {
      this.#candidate ??= { id, writers };
    }
  }

  /** Lowers the mark, because a row with this id waits below it. */
  lower(id: number): void {
    this.#mark = Math.min(this.#mark, id - 1);
    this.#finalId = this.#mark;
    this.#candidate = undefined;
  }
}
