import type { KafkaConnection } from '@gudang/kafka';
import { LONGEST_RETRY_MS, protocolErrors } from '@gudang/kafka';
import type { Service, Stoppable } from '@gudang/runtime';
import { createBackoff, pause } from '@gudang/runtime';
import type { Producer, RecordMetadata } from 'kafkajs';
import { checkEpoch } from './epoch.ts';
import { openRelaySession, type RelaySession } from './leader-session.ts';
import { type OutboxRow, rowsWithin, toMessage } from './outbox-row.ts';
import { isPoison } from './poison.ts';
import { createProducer } from './producer.ts';
import { traceSending } from './trace-sending.ts';

/** The most rows sent in one go. */
const BATCH_ROWS = 500;
/** The most bytes sent in one go: below the 1 MiB that brokers take of one batch by default. */
const BATCH_BYTES = 700 * 1024;
/**
 * The net below LISTEN: how long an event can wait whose notification got lost. A little less than
 * the session's heartbeat, which an idle relay then need not send.
 */
const POLL_MS = 900;

export interface Relay extends Stoppable {
  /** To be called after a commit that wrote to the outbox; cheap, and harmless when needless. */
  readonly wake: () => void;
  readonly isLeading: () => boolean;
}

/**
 * Sends the rows of `outbox` to Kafka in the order of their ids and deletes those that the broker
 * has acknowledged. One relay a database is active at a time, whoever holds the advisory lock.
 */
export function startRelay(
  { name, log, metrics }: Pick<Service, 'name' | 'log' | 'metrics'>,
  {
    kafka,
    databaseUrl,
    changeTopic,
  }: {
    kafka: KafkaConnection;
    databaseUrl: string;
    /** The topic whose offsets are cursors. */
    changeTopic: string;
  },
): Relay {
  const stopping = new AbortController();
  const sent = metrics.counter('gudang_outbox_sent_total', 'Events that the broker acknowledged');
  const setAside = metrics.counter('gudang_outbox_rejected_total', 'Events that no broker takes');
  let session: RelaySession | undefined;
  let ring: (() => void) | undefined;
  let rung = false;

  const wakeUp = (): void => {
    rung = true;
    ring?.();
  };

  /** Waits for a wake-up, at most as long as the net is wide. */
  const nextWake = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stopping.signal.removeEventListener('abort', done);
        ring = undefined;
        rung = false;
        resolve();
      };
      const timer = setTimeout(done, POLL_MS);
      ring = done;
      if (rung || stopping.signal.aborted) done();
      else stopping.signal.addEventListener('abort', done, { once: true });
    });

  const source = `/${name}`;

  /** Sends rows and deletes them once they are acknowledged. */
  const deliver = async (
    producer: Producer,
    rows: readonly OutboxRow[],
    leader: RelaySession,
  ): Promise<void> => {
    const relay = { source, term: leader.term, epoch: leader.epoch };
    const traced = traceSending(rows);
    const byTopic = groupByTopic(traced.rows);
    const acknowledged = await producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, ofTopic]) => ({
        topic: kafka.name(topic),
        messages: ofTopic.map((row) => toMessage(row, relay)),
      })),
    });
    kafka.answered();
    traced.end();
    const offsets = offsetsOf(acknowledged, kafka.name(changeTopic), byTopic.get(changeTopic));
    // The offsets began anew: a new topic. Sent again under the epoch that now begins.
    if (offsets && offsets.first <= leader.sentOffset) {
      await leader.beginEpoch(offsets.last);
      return;
    }
    await leader.deleteSent(
      rows.map((row) => row.id),
      offsets?.last ?? null,
    );
    sent.inc(rows.length);
  };

  /** Sends rows one by one and sets aside those that the broker refuses for what they are. */
  const deliverEach = async (
    producer: Producer,
    rows: readonly OutboxRow[],
    leader: RelaySession,
  ): Promise<void> => {
    for (const row of rows) {
      try {
        await deliver(producer, [row], leader);
      } catch (error) {
        if (!isPoison(error)) throw error;
        await leader.setAside(row.id, error instanceof Error ? error.message : String(error));
        setAside.inc();
        log.error({ err: error, outboxId: row.id, topic: row.topic }, 'an event was set aside');
      }
    }
  };

  /** Relays until stopped; throws when the database or the broker goes away. */
  const lead = async (leader: RelaySession, producer: Producer): Promise<void> => {
    while (!stopping.signal.aborted) {
      const rows = rowsWithin(await leader.nextRows(BATCH_ROWS), BATCH_BYTES);
      if (rows.length === 0) {
        await nextWake();
        continue;
      }
      try {
        await deliver(producer, rows, leader);
      } catch (error) {
        if (!isPoison(error)) throw error;
        await deliverEach(producer, rows, leader);
      }
    }
  };

  const run = async (): Promise<void> => {
    const backoff = createBackoff(100, LONGEST_RETRY_MS);
    let producer: Producer | undefined;
    while (!stopping.signal.aborted) {
      try {
        // Before the lock: whoever has no broker must not keep it from others.
        producer ??= await createProducer(kafka, stopping.signal);
        session = await openRelaySession({
          databaseUrl,
          onNotify: wakeUp,
          signal: stopping.signal,
        });
        await session.lead();
        log.info({ term: session.term }, 'relaying the outbox');
        await checkEpoch(kafka, producer, { session, topic: changeTopic, source });
        backoff.reset();
        await lead(session, producer);
      } catch (error) {
        if (stopping.signal.aborted) break;
        kafka.failed(error);
        log.debug({ err: error }, 'the relay begins again');
        await heal(error);
      }
      await session?.close();
      session = undefined;
      await pause(backoff.next(), stopping.signal);
    }
    await session?.close();
    await producer?.disconnect().catch(() => {});
  };
  /** A topic that was deleted, or lost with the broker's data, is made again. */
  const heal = async (error: unknown): Promise<void> => {
    if (!protocolErrors(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) return;
    await kafka.ensureTopics().catch(() => {});
  };
  const running = run();

  return {
    wake: () => {
      if (session?.isLeading()) wakeUp();
      else session?.notify();
    },
    isLeading: () => session?.isLeading() ?? false,
    stop: async () => {
      stopping.abort();
      await Promise.race([running, pause(5_000)]);
    },
  };
}

function groupByTopic(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const byTopic = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const ofTopic = byTopic.get(row.topic);
    if (ofTopic) ofTopic.push(row);
    else byTopic.set(row.topic, [row]);
  }
  return byTopic;
}

/** The offsets of what went to a one-partition topic, undefined when nothing did. */
function offsetsOf(
  acknowledged: readonly RecordMetadata[],
  topic: string,
  rows: readonly OutboxRow[] | undefined,
): { first: number; last: number } | undefined {
  const of = acknowledged.find((answer) => answer.topicName === topic);
  if (of?.baseOffset === undefined || rows === undefined) return undefined;
  const first = Number(of.baseOffset);
  return { first, last: first + rows.length - 1 };
}
