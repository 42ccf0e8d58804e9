import { randomUUID } from 'node:crypto';
import {
  createConsumer,
  fetchedOffset,
  headerNumber,
  headerText,
  type KafkaConnection,
  type KafkaRecord,
  runConsumer,
  topicBounds,
  toRecords,
} from '@gudang/kafka';
import { HEADER } from '@gudang/messages';
import type { SqlClient } from '@gudang/postgres';
import {
  OK,
  type PartState,
  type Service,
  type Stoppable,
  settledOrAborted,
} from '@gudang/runtime';
import { parseTraceparent, startSpan } from '@gudang/runtime/tracing';
import type { Batch } from 'kafkajs';
import { type Arrival, ChangeLog } from './change-log.ts';
import { type Cursor, NO_EPOCH } from './cursor.ts';
import { createFeedMetrics } from './feed-metrics.ts';
import { type FeedReader, type OpenedWatch, openWatch } from './open-watch.ts';
import { createWatchers, type Watch } from './watchers.ts';

/** Number of changes that are kept in memory and can be replayed from a cursor. */
const WINDOW = 10_000;

export interface ChangeFeed extends Stoppable {
  /**
   * Watches the changes from now on, without waiting until the feed has caught up.
   * @param keys the keys to watch: records' keys, or keys of `moreKeysOf`; undefined for all changes
   */
  readonly watch: (keys: readonly string[] | undefined) => Watch;
  /**
   * Waits until the feed has caught up, then watches the changes since a cursor. Without a cursor,
   * it watches the changes from now on. A cursor within a snapshot counts as the position at which
   * the snapshot began.
   * @param keys the keys to watch: records' keys, or keys of `moreKeysOf`; undefined for all changes
   * @param left aborted when the subscriber leaves: it ends the wait, and the watch must then be closed
   */
  readonly open: (
    keys: readonly string[] | undefined,
    after?: Cursor,
    left?: AbortSignal,
  ) => Promise<OpenedWatch>;
  /** The position up to which this replica has read every change. */
  readonly position: () => Cursor;
  /** The newest version of a key among the changes in memory; undefined if there is none. */
  readonly versionOf: (key: string) => number | undefined;
  /**
   * Commit time of the oldest change in memory, in milliseconds since 1970 by the database's clock; 0 if all
   * changes are in memory.
   */
  readonly oldestAt: () => number;
  /** The position right after a change. */
  readonly cursorAfter: (change: {
    readonly offset: number;
    readonly at: number;
    readonly epoch?: string;
  }) => Cursor;
}

export interface FeedOptions {
  readonly kafka: KafkaConnection;
  readonly topic: string;
  readonly database: SqlClient;
  /** Letters in the cursors of this feed that distinguish them from those of other feeds. */
  readonly stream?: string | undefined;
  /** Returns further keys by which a change can be watched. They must differ from all records' keys. */
  readonly moreKeysOf?: ((value: Buffer) => readonly string[]) | undefined;
}

/**
 * Reads a one-partition change topic into memory and passes each change to its watchers. Every
 * replica reads the whole topic, in a consumer group of its own.
 */
export function startChangeFeed(
  { health, log, metrics }: Pick<Service, 'health' | 'log' | 'metrics'>,
  { kafka, topic, database, stream, moreKeysOf }: FeedOptions,
): ChangeFeed {
  const stopping = new AbortController();
  const name = kafka.name(topic);
  const changes = new ChangeLog(WINDOW);
  const watchers = createWatchers(WINDOW);
  /** Whether the feed has read all records that the topic contained at the start. */
  let caughtUp = false;
  /** The offset after the topic's last record, as far as this replica knows. */
  let end = 0;
  /** Callbacks of the `open` calls that wait for the position to change. */
  let resumes = new Set<() => void>();
  const measured = createFeedMetrics(metrics, {
    waiting: () => Math.max(0, end - changes.next),
    watchers: watchers.count,
  });

  const consumer = createConsumer(kafka, `${name}-feed-${randomUUID()}`);
  const seek = (offset: number): void =>
    consumer.seek({ topic: name, partition: 0, offset: String(offset) });
  // The group commits no offsets, so without this `seek`, kafkajs would lose the position at each
  // join.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    seek(changes.next);
    rereadAfterRecreation().catch((error: unknown) =>
      log.debug({ err: error }, 'the epoch could not be read'),
    );
  });

  const moved = (): void => {
    caughtUp ||= changes.next >= end;
    const resuming = resumes;
    resumes = new Set();
    for (const resume of resuming) resume();
  };

  const take = (record: KafkaRecord): void => {
    const arrival = traceArrival(toArrival(record, moreKeysOf));
    const since = changes.newestAt;
    const verdict = arrival
      ? changes.append(arrival)
      : changes.skip(Number(record.offset), headerText(record.headers, HEADER.epoch));
    if (arrival && caughtUp) measured.arrived(arrival.change.at);
    if (verdict === 'broken') watchers.missed(since);
    else if (verdict === 'new' && arrival) watchers.publish(arrival.change);
  };

  /**
   * Adds a span to a change, except while the feed is still catching up, because earlier processes
   * have already traced those changes.
   */
  const traceArrival = (arrival: Arrival | undefined): Arrival | undefined => {
    const parent = caughtUp ? arrival?.change.traceparent : undefined;
    if (arrival === undefined || parent === undefined) return arrival;
    const span = startSpan(`feed ${topic}`, { kind: 'consumer', parent });
    if (span === undefined) return arrival;
    span.end();
    return { ...arrival, change: { ...arrival.change, traceparent: span.traceparent } };
  };

  const takeBatch = (batch: Batch): void => {
    end = Number(batch.highWatermark);
    const from = fetchedOffset(batch);
    if (from > changes.next) lose(from, 'the broker no longer has them');
    for (const record of toRecords(batch, batch.messages)) {
      const offset = Number(record.offset);
      if (record.damage) {
        lose(offset + 1, record.damage.reason);
        continue;
      }
      // Offsets without a record are no gap: they belong to control records, for example.
      changes.passTo(offset);
      take(record);
    }
    changes.passTo(Number(batch.lastOffset()) + 1);
  };

  /** Continues at an offset without the changes before it. Watchers need a snapshot instead. */
  const lose = (offset: number, reason: string): void => {
    log.warn({ topic, offset, reason }, 'changes could not be read; live streams send a snapshot');
    changes.lose(offset);
    watchers.missed(changes.newestAt);
  };

  /**
   * Reads the topic again if it was deleted and created again. Only the epoch reveals a new topic,
   * because the offsets may be the same as before.
   */
  const rereadAfterRecreation = async (): Promise<void> => {
    if ((await readEpoch(database)).epoch === changes.epoch) return;
    const { low, high } = await topicBounds(kafka.client, name);
    end = high;
    seek(Math.max(low, high - WINDOW));
  };

  const prepare = async (): Promise<void> => {
    // The time is read before the bounds: the events of all earlier transactions are then in the topic
    // before the bound, or were still unsent at that time.
    const { epoch, at } = await readEpoch(database);
    const { low, high } = await topicBounds(kafka.client, name);
    end = high;
    changes.startAt(Math.max(low, high - WINDOW), epoch, at);
    moved();
    await consumer.subscribe({ topics: [name], fromBeginning: true });
  };
  const run = (): Promise<void> =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: async ({ batch }) => {
        takeBatch(batch);
        moved();
      },
    });
  const running = runConsumer(
    { kafka, consumer, name: `The consumer of ${topic}`, signal: stopping.signal, log },
    { prepare, run },
  );

  const waitUntil = async (reached: () => boolean, signal: AbortSignal): Promise<void> => {
    while (!reached() && !signal.aborted && !stopping.signal.aborted) {
      let resume = (): void => {};
      const next = new Promise<void>((resolve) => {
        resume = resolve;
      });
      resumes.add(resume);
      await settledOrAborted(next, signal);
      // Subscribers may come and leave while the feed waits for Kafka.
      resumes.delete(resume);
    }
  };
  const reader: FeedReader = {
    changes,
    watchers,
    caughtUp: (signal) => waitUntil(() => caughtUp, signal),
    reached: (offset, signal) => waitUntil(() => changes.next >= offset, signal),
  };

  health.watch('feed', (): PartState => {
    const consumerState = running.state();
    if (consumerState.state !== 'ok') return consumerState;
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
    open: (keys, after, left) => openWatch(reader, keys, after, left),
    position: () => ({
      stream,
      epoch: changes.epoch ?? NO_EPOCH,
      offset: caughtUp ? changes.next : null,
      at: changes.newestAt,
    }),
    versionOf: (key) => changes.versionOf(key),
    oldestAt: () => changes.oldestAt,
    cursorAfter: ({ offset, at, epoch = changes.epoch ?? NO_EPOCH }) => ({
      stream,
      epoch,
      offset: offset + 1,
      at,
    }),
    stop: async () => {
      stopping.abort();
      moved();
      // `stop` need not wait: the group has no other member, and no work is in flight.
      void running.stop();
    },
  };
}

/**
 * Reads the epoch from the database, because an empty topic does not contain it, and a time before all
 * changes that are not in the topic: the database's clock, or the time of the oldest unsent event.
 */
async function readEpoch(database: SqlClient): Promise<{ epoch: string; at: number }> {
  const [relay] = await database.$queryRawUnsafe<{ epoch: string; at: Date }[]>(
    `SELECT epoch, LEAST(now(), (SELECT created_at FROM outbox ORDER BY id LIMIT 1)) AS at FROM relay`,
  );
  return { epoch: relay?.epoch ?? NO_EPOCH, at: relay?.at.getTime() ?? 0 };
}

/**
 * Converts a record to a change. Returns undefined if the record is not a change, for example a
 * record of another system.
 */
function toArrival(
  record: KafkaRecord,
  moreKeysOf: FeedOptions['moreKeysOf'],
): Arrival | undefined {
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
      moreKeys: moreKeysOf?.(record.value),
      version,
      value: record.value,
      at: Date.parse(headerText(record.headers, HEADER.time) ?? '') || 0,
      traceparent: parseTraceparent(headerText(record.headers, HEADER.traceparent)),
    },
  };
}
