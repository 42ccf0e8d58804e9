import { createBackoff, pause, type Service, type Stoppable } from '@gudang/runtime';
import type { EachBatchPayload } from 'kafkajs';
import type { KafkaConnection } from './kafka-connection.ts';
import { offsetMetadata } from './patches/log-truncation.ts';
import { type KafkaRecord, toRecords } from './record.ts';
import { createConsumer, runConsumer } from './run-consumer.ts';

/** Maximum number of records in one call of the handler, and therefore in one database transaction. */
const BATCH_LIMIT = 1_000;
/** Heartbeat interval while a batch is handled, in milliseconds. */
const HEARTBEAT_MS = 2_000;

/**
 * Sends heartbeats while `work` runs. kafkajs sends heartbeats only between batches, and a
 * transaction that waits for a lock may take longer than the session time-out. A failed heartbeat
 * is ignored here: after `work`, the consumer awaits another heartbeat, whose failure is handled.
 */
async function withHeartbeats(batch: EachBatchPayload, work: () => Promise<void>): Promise<void> {
  const timer = setInterval(() => void batch.heartbeat().catch(() => {}), HEARTBEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * Consumes a topic from its beginning. The offset is committed after `handle` has resolved, so
 * `handle` must commit its own work first. If `handle` rejects, it is called again with the same
 * records, with back-off, until it resolves. Therefore `handle` must not reject because of a record
 * that it can never process. It must set such a record aside instead.
 */
export function startConsumer(
  { log, health }: Pick<Service, 'log' | 'health'>,
  {
    kafka,
    topic,
    group,
    part = 'consumer',
    handle,
    logFields = ({ partition, offset }) => ({ topic, partition, offset }),
  }: {
    kafka: KafkaConnection;
    topic: string;
    group: string;
    /** Name of the consumer in `/readyz`. Default: `consumer`. */
    part?: string | undefined;
    /** Receives records of one partition, in order. */
    handle: (records: readonly KafkaRecord[]) => Promise<void>;
    /**
     * Returns the log fields for a failed call of `handle`. Receives the first record of that call.
     */
    logFields?: (record: KafkaRecord) => Readonly<Record<string, unknown>>;
  },
): Stoppable {
  const stopping = new AbortController();
  const consumer = createConsumer(kafka, kafka.name(group));
  /**
   * Number of rebalances. After a rebalance, another consumer may own the partition of a batch
   * (tulios/kafkajs #1046).
   */
  let generation = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    generation += 1;
  });

  /**
   * Calls `handle` until it resolves. Resolves with false if this consumer is stopped, or if
   * another consumer may now own the partition.
   */
  const handleWithRetries = async (
    records: readonly KafkaRecord[],
    batch: EachBatchPayload,
    isAssigned: () => boolean,
  ): Promise<boolean> => {
    const backoff = createBackoff(100, 5_000);
    while (isAssigned()) {
      try {
        await withHeartbeats(batch, () => handle(records));
        return true;
      } catch (error) {
        const [first] = records;
        log.warn(
          { err: error, ...(first && logFields(first)) },
          `${group} could not handle records; retrying`,
        );
        await withHeartbeats(batch, () => pause(backoff.next(), stopping.signal));
        // During a rebalance, this heartbeat rejects, so that kafkajs rejoins the group.
        await batch.heartbeat();
      }
    }
    return false;
  };

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    const begun = generation;
    const isAssigned = (): boolean =>
      payload.isRunning() && !payload.isStale() && generation === begun && !stopping.signal.aborted;
    for (let start = 0; start < batch.messages.length; start += BATCH_LIMIT) {
      const messages = batch.messages.slice(start, start + BATCH_LIMIT);
      const records = toRecords(batch, messages);
      const last = messages.at(-1);
      if (last === undefined) return;
      if (records.length > 0 && !(await handleWithRetries(records, payload, isAssigned))) return;
      if (generation !== begun || payload.isStale()) return;
      payload.resolveOffset(last.offset);
      const offset = (BigInt(last.offset) + 1n).toString();
      // Do not use the consumer's own commitOffsets, because it does nothing while the consumer is
      // stopping.
      const committed = {
        partition: batch.partition,
        offset,
        metadata: offsetMetadata(batch, last.offset),
      };
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic: batch.topic, partitions: [committed] }],
      });
      await payload.heartbeat();
    }
  };

  const name = `The consumer of ${topic}`;
  const running = runConsumer(
    { kafka, consumer, name, signal: stopping.signal, log },
    {
      prepare: () => consumer.subscribe({ topics: [kafka.name(topic)], fromBeginning: true }),
      run: () => consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }),
    },
  );
  health.watch(part, running.state);
  return {
    stop: async () => {
      stopping.abort();
      await running.stop();
    },
  };
}
