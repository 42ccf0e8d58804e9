import type { FetchedRecord } from './record-decoder.ts';

/** A batch that cannot be decoded, and why. */
export interface BatchDamage {
  readonly reason: string;
  readonly firstOffset: string;
}

/** An entry of a fetch response, as kafkajs passes it to the consumer. */
export interface FetchedMessage extends FetchedRecord {
  /**
   * Present if the message is no record: it has the last offset of records that the consumer must
   * not see, so that the consumer's position moves past them.
   */
  readonly isSkipped?: true;
  /**
   * Present if the message represents a whole batch that cannot be decoded. Its value is the
   * batch's bytes and its offset the batch's last offset.
   */
  readonly damage?: BatchDamage;
}

/** An epoch of a partition's leader. Each new leader, and each restart, begins an epoch. */
interface LeaderEpoch {
  readonly epoch: number;
  /** The first offset of the epoch among these messages. */
  readonly first: number;
}

/** The messages of a partition in a fetch response. kafkajs keeps the array in `batch.rawMessages`. */
export type FetchedMessages = readonly FetchedMessage[] & {
  /** The epochs in which the messages were written, oldest first. Legacy messages have none. */
  readonly epochs: readonly LeaderEpoch[];
};

/** Returns the epoch in which a message was written; −1 if it is unknown. */
export function epochAt({ epochs }: Pick<FetchedMessages, 'epochs'>, offset: number): number {
  return epochs.findLast(({ first }) => first <= offset)?.epoch ?? -1;
}
