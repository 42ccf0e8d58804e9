import type { Service, Stoppable } from '@gudang/runtime';
import { createBackoff, pause } from '@gudang/runtime';
import type { EachBatchPayload } from 'kafkajs';
import { LONGEST_RETRY_MS } from './kafka-client.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { type KafkaRecord, toRecord } from './record.ts';
import { disconnectConsumer, runConsumer } from './run-consumer.ts';

/** The most records that one call, and so one database transaction, gets. */
const BATCH_LIMIT = 1_000;
/**
 * How long a silent consumer keeps its partitions, in milliseconds: the shortest that brokers allow
 * by default, because after a crash or a broker's restart all others wait for it.
 */
export const SESSION_TIMEOUT_MS = 6_000;
/** How often a batch in work says that its consumer is alive, in milliseconds. */
const BEAT_MS = 2_000;

/**
 * kafkajs beats between batches only, and a transaction that waits for a lock may outlast the
 * session. A beat that fails is left to the next one, which is awaited.
 */
async function whileBeating(batch: EachBatchPayload, work: () => Promise<void>): Promise<void> {
  const beat = setInterval(() => void batch.heartbeat().catch(() => {}), BEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(beat);
  }
}

/**
 * Consumes a topic from its beginning. `handle` gets the records of one partition in order and
 * must have committed its work when it resolves; only then is the offset committed. When it
 * rejects, it is called again with the same records, with back-off, for ever: what is wrong with
 * a record itself is for `handle` to set aside.
 */
export function startConsumer(
  { log, health }: Pick<Service, 'log' | 'health'>,
  {
    kafka,
    topic,
    group,
    handle,
    named = ({ partition, offset }) => ({ topic, partition, offset }),
  }: {
    kafka: KafkaConnection;
    topic: string;
    group: string;
    handle: (records: readonly KafkaRecord[]) => Promise<void>;
    /** What the log says of a record that could not be handled. */
    named?: (record: KafkaRecord) => Readonly<Record<string, unknown>>;
  },
): Stoppable {
  const stopping = new AbortController();
  const consumer = kafka.client.consumer({
    groupId: kafka.name(group),
    allowAutoTopicCreation: false,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: 2_000,
    // Data is answered at once whatever this is; at 50 ms idle fetches take 3% of a core.
    maxWaitTimeInMs: 1_000,
    retry: {
      initialRetryTime: 100,
      maxRetryTime: LONGEST_RETRY_MS,
      restartOnFailure: async () => true,
    },
  });
  // Not FETCH, which kafkajs emits after a failed fetch too.
  consumer.on(consumer.events.REQUEST, kafka.answered);
  /** Grows with each rebalance: a batch of before may be another consumer's by now (#1046). */
  let generation = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    generation += 1;
  });

  const handleForever = async (
    records: readonly KafkaRecord[],
    batch: EachBatchPayload,
    isOurs: () => boolean,
  ): Promise<boolean> => {
    const backoff = createBackoff(100, 5_000);
    while (isOurs()) {
      try {
        await whileBeating(batch, () => handle(records));
        return true;
      } catch (error) {
        const [first] = records;
        log.warn({ err: error, ...(first && named(first)) }, `${group} will try again`);
        await whileBeating(batch, () => pause(backoff.next(), stopping.signal));
        // Rejects in a rebalance, for kafkajs to join again.
        await batch.heartbeat();
      }
    }
    return false;
  };

  const eachBatch = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    const begun = generation;
    const isOurs = (): boolean =>
      payload.isRunning() && !payload.isStale() && generation === begun && !stopping.signal.aborted;
    for (let start = 0; start < batch.messages.length; start += BATCH_LIMIT) {
      const records = batch.messages
        .slice(start, start + BATCH_LIMIT)
        .map((message) => toRecord(batch.topic, batch.partition, message));
      const last = records.at(-1);
      if (last === undefined || !(await handleForever(records, payload, isOurs))) return;
      if (generation !== begun || payload.isStale()) return;
      payload.resolveOffset(last.offset);
      const offset = (BigInt(last.offset) + 1n).toString();
      // Not the consumer's commitOffsets, which does nothing once it is told to stop.
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }],
      });
      await payload.heartbeat();
    }
  };

  const running = runConsumer(
    { kafka, consumer, name: `The consumer of ${topic}`, signal: stopping.signal, log },
    {
      prepare: () => consumer.subscribe({ topics: [kafka.name(topic)], fromBeginning: true }),
      run: () => consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }),
    },
  );
  health.watch('consumer', running.state);
  return {
    stop: async () => {
      stopping.abort();
      await disconnectConsumer(consumer);
    },
  };
}
