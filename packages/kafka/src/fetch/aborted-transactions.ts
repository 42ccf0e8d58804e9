import { BATCH, CONTROL, TRANSACTIONAL } from './record-batch.ts';

/** An aborted transaction, as the broker lists it in a fetch response. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  /** The offset of the transaction's first record. */
  readonly firstOffset: bigint;
}

/** The key of a control record is its version and its type, with two bytes each. */
const TYPE_OF_KEY = 2;
const ABORT = 0;

/**
 * Decides which batches of a fetch response contain no records for the consumer: control batches
 * and batches of aborted transactions. Must be called for each batch, in order.
 *
 * kafkajs's own filter delivers records of aborted transactions in three cases: if the broker lists
 * the transactions in another order than that of their first records, which happens when
 * transactions overlap; if a fetch begins inside several of them; and after a record whose key
 * consists of four zeros, which kafkajs takes for the end of the transaction.
 */
export class AbortedTransactions {
  readonly #waiting: AbortedTransaction[];
  /** Producers whose current transaction was aborted. */
  readonly #producers = new Set<bigint>();

  constructor(listed: readonly AbortedTransaction[]) {
    this.#waiting = [...listed].sort((a, b) => Number(b.firstOffset - a.firstOffset));
  }

  /** Returns whether the consumer must not see the records of this batch of message format 2. */
  hides(bytes: Buffer): boolean {
    const attributes = bytes.readInt16BE(BATCH.attributes);
    const isControl = (attributes & CONTROL) !== 0;
    const isTransactional = (attributes & TRANSACTIONAL) !== 0;
    if (!isTransactional || (this.#waiting.length === 0 && this.#producers.size === 0)) {
      return isControl;
    }
    const lastOffset =
      bytes.readBigInt64BE(BATCH.firstOffset) + BigInt(bytes.readInt32BE(BATCH.lastOffsetDelta));
    for (let next = this.#waiting.at(-1); next && next.firstOffset <= lastOffset; ) {
      this.#producers.add(next.producerId);
      this.#waiting.pop();
      next = this.#waiting.at(-1);
    }
    const producer = bytes.readBigInt64BE(BATCH.producerId);
    if (!isControl) return this.#producers.has(producer);
    if (isAbortMarker(bytes)) this.#producers.delete(producer);
    return true;
  }
}

/**
 * Whether a control batch ends an aborted transaction. The record before its key has these fields:
 * its length, its attributes, two deltas and the length of the key, with one byte each.
 */
function isAbortMarker(bytes: Buffer): boolean {
  const type = BATCH.records + 5 + TYPE_OF_KEY;
  return bytes.length >= type + 2 && bytes.readInt16BE(type) === ABORT;
}
