import { type KafkaConnection, protocolErrors } from '@gudang/kafka';
import type { Service } from '@gudang/runtime';
import type { Producer, RecordMetadata } from 'kafkajs';
import type { LeaderSession } from './leader-session.ts';
import { type OutboxRow, toMessage } from './outbox-row.ts';
import { deleteSent, rejectRow } from './outbox-table.ts';
import type { Batch } from './read-batch.ts';
import { beginEpoch, type RelayTerm } from './relay-term.ts';
import { traceSending } from './trace-sending.ts';

/** Dependencies of the row sender during one term. */
export interface Sender {
  readonly kafka: Pick<KafkaConnection, 'name' | 'answered'>;
  readonly producer: Producer;
  readonly session: LeaderSession;
  readonly term: RelayTerm;
  /** The CloudEvents source, such as `/order-subgraph`. */
  readonly source: string;
  /** The topic whose offsets are cursors. */
  readonly changeTopic: string;
}

/**
 * Creates the function that sends a batch and deletes its rows once the broker has acknowledged them. It
 * resolves with whether all rows were sent or set aside.
 */
export function createRowSender({ log, metrics }: Pick<Service, 'log' | 'metrics'>) {
  const sent = metrics.counter('gudang_outbox_sent_total', 'Events that the broker acknowledged');
  const rejected = metrics.counter('gudang_outbox_rejected_total', 'Events that no broker takes');

  const setAside = async (
    { session }: Sender,
    row: OutboxRow,
    reason: { readonly message: string },
  ): Promise<void> => {
    await rejectRow(session, row.id, reason.message);
    rejected.inc();
    log.error(
      { err: reason, outboxId: row.id, topic: row.topic },
      'the broker refuses an event; it was moved to the table outbox_rejected',
    );
  };
  /** Sends one row. Moves it to outbox_rejected if the broker refuses it. */
  const sendOne = async (sender: Sender, row: OutboxRow): Promise<number> => {
    try {
      const count = await sendBatch(sender, [row]);
      sent.inc(count);
      return count;
    } catch (error) {
      if (!isNonRetryable(error)) throw error;
      await setAside(sender, row, error instanceof Error ? error : new Error(String(error)));
      return 1;
    }
  };

  return async (sender: Sender, { rows, tooLarge }: Batch): Promise<boolean> => {
    const [first] = rows;
    if (first && tooLarge) {
      await setAside(sender, first, new Error(`The event has ${tooLarge} bytes`));
      return true;
    }
    try {
      const count = await sendBatch(sender, rows);
      sent.inc(count);
      return count === rows.length;
    } catch (error) {
      if (!isNonRetryable(error)) throw error;
      // One refused row makes the broker refuse its whole batch, so send each row alone.
      let count = 0;
      for (const row of rows) count += await sendOne(sender, row);
      return count === rows.length;
    }
  };
}

/**
 * Sends rows, and deletes them once the broker has acknowledged them.
 * @returns the number of rows that were sent and deleted
 */
async function sendBatch(sender: Sender, rows: readonly OutboxRow[]): Promise<number> {
  const { kafka, producer, session, term, source, changeTopic } = sender;
  const traced = traceSending(rows);
  const byTopic = groupByTopic(traced.rows);
  const recordSource = { source, term: term.term, epoch: term.epoch };
  const acknowledged = await producer.sendBatch({
    acks: -1,
    topicMessages: [...byTopic].map(([topic, topicRows]) => ({
      topic: kafka.name(topic),
      messages: topicRows.map((row) => toMessage(row, recordSource)),
    })),
  });
  kafka.answered();
  traced.end();
  const offsets = findOffsets(acknowledged, kafka.name(changeTopic), byTopic.get(changeTopic));
  // The offsets have restarted, so the topic is new. The rows are sent again in the new epoch.
  if (offsets && offsets.first <= term.sentOffset) {
    await beginEpoch(session, term, { offset: offsets.last, isAnnounced: true });
    return 0;
  }
  const ids = rows.map((row) => row.id);
  await deleteSent(session, term, ids, offsets?.last ?? null);
  return rows.length;
}

const NON_RETRYABLE = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
]);

/** Whether the broker refused the record itself, so that a retry cannot help. */
function isNonRetryable(error: unknown): boolean {
  return protocolErrors(error).some((type) => NON_RETRYABLE.has(type));
}

function groupByTopic(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const byTopic = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const topicRows = byTopic.get(row.topic);
    if (topicRows) topicRows.push(row);
    else byTopic.set(row.topic, [row]);
  }
  return byTopic;
}

/** Returns the offsets of the rows in a one-partition topic; undefined if no row was sent to it. */
function findOffsets(
  acknowledged: readonly RecordMetadata[],
  topic: string,
  rows: readonly OutboxRow[] | undefined,
): { first: number; last: number } | undefined {
  const metadata = acknowledged.find(({ topicName }) => topicName === topic);
  if (metadata?.baseOffset === undefined || rows === undefined) return undefined;
  const first = Number(metadata.baseOffset);
  return { first, last: first + rows.length - 1 };
}
