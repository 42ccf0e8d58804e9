import { randomUUID } from 'node:crypto';
import type { KafkaConnection } from '@gudang/kafka';
import {
  disconnectConsumer,
  headerNumber,
  headerText,
  type KafkaRecord,
  LONGEST_RETRY_MS,
  runConsumer,
  SESSION_TIMEOUT_MS,
  topicBounds,
  toRecord,
} from '@gudang/kafka';
import { HEADER } from '@gudang/messages';
import type { SqlClient } from '@gudang/postgres';
import type { Service, Stoppable } from '@gudang/runtime';
import { OK, type PartState, settledOrAborted } from '@gudang/runtime';
import { parseTraceparent, startSpan } from '@gudang/runtime/tracing';
import { type Arrival, createChangeLog } from './change-log.ts';
import { type Cursor, NO_EPOCH } from './cursor.ts';
import { createFeedMetrics } from './feed-metrics.ts';
import { createWatchers, type Watch } from './watchers.ts';

/** How many of the last changes are kept and can be replayed. */
const WINDOW = 10_000;
/** How long a cursor of a replica that is ahead waits for this one, in milliseconds. */
const AHEAD_LIMIT_MS = 5_000;

/** Where a watch begins: live, or with the changes since a cursor, or after a snapshot. */
export interface OpenedWatch extends Watch {
  readonly start: 'live' | 'replay' | 'snapshot';
}

export interface Feed extends Stoppable {
  /** Watches from this moment on, whatever the state of the feed. */
  readonly watch: (keys: readonly string[] | undefined) => Watch;
  /**
   * Watches from a cursor on, or from now once the feed has caught up. `snapshot`: the cursor is
   * not in reach; whoever watches shows the stored state first, then these changes.
   */
  readonly open: (keys: readonly string[] | undefined, after?: Cursor) => Promise<OpenedWatch>;
  /** The position of this replica: all before it has been read. */
  readonly position: () => Cursor;
  /** The newest version of a key that has been read; undefined when it is no longer kept. */
  readonly versionOf: (key: string) => number | undefined;
  /** The position just behind one change. */
  readonly cursorAfter: (change: {
    readonly offset: number;
    readonly at: number;
    readonly epoch?: string;
  }) => Cursor;
}

/**
 * Reads a one-partition change topic into memory and shows each change to those who watch it.
 * Every replica reads all of it, in a group of its own.
 */
export function startFeed(
  { health, log, metrics }: Pick<Service, 'health' | 'log' | 'metrics'>,
  { kafka, topic, database }: { kafka: KafkaConnection; topic: string; database: SqlClient },
): Feed {
  const stopping = new AbortController();
  const name = kafka.name(topic);
  const changes = createChangeLog(WINDOW);
  const watchers = createWatchers(WINDOW);
  let caughtUp = false;
  let end = 0;
  let moved: (() => void)[] = [];
  const measured = createFeedMetrics(metrics, {
    waiting: () => Math.max(0, end - changes.next),
    watchers: watchers.count,
  });

  const consumer = kafka.client.consumer({
    groupId: `${name}-feed-${randomUUID()}`,
    allowAutoTopicCreation: false,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: 2_000,
    maxWaitTimeInMs: 1_000,
    retry: {
      initialRetryTime: 100,
      maxRetryTime: LONGEST_RETRY_MS,
      restartOnFailure: async () => true,
    },
  });
  consumer.on(consumer.events.REQUEST, kafka.answered);
  const seek = (offset: number): void =>
    consumer.seek({ topic: name, partition: 0, offset: String(offset) });
  // kafkajs begins anew at the topic's end after each join of a group that commits nothing.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    seek(changes.next);
    rereadWhenRemade().catch((error: unknown) => log.debug({ err: error }, 'the epoch is unknown'));
  });

  const settle = (): void => {
    caughtUp ||= changes.next >= end;
    const waiting = moved;
    moved = [];
    for (const wake of waiting) wake();
  };

  const take = (record: KafkaRecord): void => {
    const arrival = traced(toArrival(record));
    const verdict = arrival
      ? changes.append(arrival)
      : changes.pass(Number(record.offset), headerText(record.headers, HEADER.epoch));
    if (arrival && caughtUp) measured.arrived(arrival.change.at);
    if (verdict === 'broken') watchers.missed();
    else if (verdict === 'new' && arrival) watchers.show(arrival.change);
  };

  /** Of what was caused before this replica began, others have told. */
  const traced = (arrival: Arrival | undefined): Arrival | undefined => {
    const parent = caughtUp ? arrival?.change.traceparent : undefined;
    if (arrival === undefined || parent === undefined) return arrival;
    const span = startSpan(`feed ${topic}`, { kind: 'consumer', parent });
    if (span === undefined) return arrival;
    span.end();
    return { ...arrival, change: { ...arrival.change, traceparent: span.traceparent } };
  };

  /** A topic that was lost and made again may be as long by now: from here on nothing looks new. */
  const rereadWhenRemade = async (): Promise<void> => {
    if ((await readEpoch(database)) === changes.epoch) return;
    const { low, high } = await topicBounds(kafka.client, name);
    seek(Math.max(low, high - WINDOW));
  };

  const prepare = async (): Promise<void> => {
    const { low, high } = await topicBounds(kafka.client, name);
    end = high;
    changes.startAt(Math.max(low, high - WINDOW), await readEpoch(database));
    settle();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
  };
  const run = (): Promise<void> =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }) => {
        end = Math.max(end, Number(batch.highWatermark));
        for (const message of batch.messages) take(toRecord(name, 0, message));
        settle();
      },
    });
  const running = runConsumer(
    { kafka, consumer, name: `The consumer of ${topic}`, signal: stopping.signal, log },
    { prepare, run },
  );

  const until = async (reached: () => boolean, signal: AbortSignal): Promise<void> => {
    while (!reached() && !signal.aborted && !stopping.signal.aborted) {
      await settledOrAborted(new Promise<void>((resolve) => moved.push(resolve)), signal);
    }
  };

  health.watch('feed', (): PartState => {
    const stopped = running.state();
    if (stopped.state !== 'ok') return stopped;
    if (caughtUp) return OK;
    if (kafka.state().state !== 'ok') {
      return { state: 'degraded', reason: 'live streams wait for Kafka' };
    }
    return {
      state: 'down',
      reason: `${topic}: ${end - changes.next} changes are still to be read`,
    };
  });
  return {
    watch: (keys) => watchers.watch(keys),
    open: async (keys, after) => {
      await until(() => caughtUp, stopping.signal);
      const known = after?.epoch === changes.epoch ? after?.offset : undefined;
      if (known !== undefined && known !== null && known > changes.next) {
        await until(() => changes.next >= known, AbortSignal.timeout(AHEAD_LIMIT_MS));
      }
      if (after === undefined) return { ...watchers.watch(keys), start: 'live' };
      const wanted = keys && new Set(keys);
      const inReach = known !== undefined && known !== null && known <= changes.next;
      const earlier = inReach && after.epoch === changes.epoch ? changes.since(known) : undefined;
      if (earlier === undefined) return { ...watchers.watch(keys), start: 'snapshot' };
      const matching = wanted ? earlier.filter((change) => wanted.has(change.key)) : earlier;
      return { ...watchers.watch(keys, matching), start: 'replay' };
    },
    position: () => ({
      epoch: changes.epoch ?? NO_EPOCH,
      offset: caughtUp ? changes.next : null,
      at: changes.newestAt,
    }),
    versionOf: changes.versionOf,
    cursorAfter: ({ offset, at, epoch = changes.epoch ?? NO_EPOCH }) => ({
      epoch,
      offset: offset + 1,
      at,
    }),
    stop: async () => {
      stopping.abort();
      settle();
      // It has the group for itself and nothing to finish: nobody need wait for the fetch in flight.
      void disconnectConsumer(consumer);
    },
  };
}

/** The database's epoch: what an empty topic cannot tell. */
async function readEpoch(database: SqlClient): Promise<string> {
  const [relay] = await database.$queryRawUnsafe<{ epoch: string }[]>('SELECT epoch FROM relay');
  return relay?.epoch ?? NO_EPOCH;
}

/** Undefined for a record that no relay of ours sent. */
function toArrival(record: KafkaRecord): Arrival | undefined {
  const version = headerNumber(record.headers, HEADER.version);
  const term = headerNumber(record.headers, HEADER.term);
  const epoch = headerText(record.headers, HEADER.epoch);
  if (version === undefined || term === undefined || epoch === undefined) return undefined;
  if (record.key === null || record.value === null) return undefined;
  return {
    term,
    change: {
      offset: Number(record.offset),
      epoch,
      key: record.key.toString(),
      version,
      value: record.value,
      at: Date.parse(headerText(record.headers, HEADER.time) ?? '') || 0,
      traceparent: parseTraceparent(headerText(record.headers, HEADER.traceparent)),
    },
  };
}
