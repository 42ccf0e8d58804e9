import { randomUUID } from 'node:crypto';
import { testTopicPrefix } from '@gudang/embedded/testing';
import type { KafkaConnection } from '@gudang/kafka';
import { connectTestKafka, createTestService, type TestService } from '@gudang/kafka/testing';
import { HEADER } from '@gudang/messages';
import type { SqlClient } from '@gudang/postgres';
import { Partitioners, type Producer } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type ChangeFeed, startChangeFeed } from './change-feed.ts';
import type { Watch } from './watchers.ts';

const TOPIC = 'stock_changed';

describe('startChangeFeed', () => {
  let service: TestService;
  let kafka: KafkaConnection;
  let producer: Producer;
  let epoch: string;
  let running: ChangeFeed[] = [];
  let sent = 0;

  const database = {
    $queryRawUnsafe: async () => [{ epoch, at: new Date(0) }],
  } as unknown as SqlClient;
  const start = (): ChangeFeed => {
    const own = createTestService({ brokers: inject('kafkaBrokers'), prefix: kafka.name('') });
    const feed = startChangeFeed(own, { kafka, topic: TOPIC, database });
    running.push(feed);
    return feed;
  };
  /** Sends one change for each given key, each with a higher version than all earlier changes. */
  const send = (keys: readonly string[], headers: Record<string, string> = {}) =>
    producer.send({
      topic: kafka.name(TOPIC),
      messages: keys.map((key) => {
        sent += 1;
        return {
          key,
          value: `${key}${sent}`,
          headers: {
            [HEADER.version]: String(sent),
            [HEADER.term]: '1',
            [HEADER.epoch]: epoch,
            [HEADER.time]: new Date(1_000 + sent).toISOString(),
            ...headers,
          },
        };
      }),
    });
  const take = async (watch: Watch, count: number): Promise<string[]> => {
    const taken: string[] = [];
    while (taken.length < count) {
      const next = await watch.next();
      if (next === undefined) break;
      taken.push(next === 'missed' ? next : String(next.value));
    }
    return taken;
  };

  beforeEach(async () => {
    service = createTestService({ brokers: inject('kafkaBrokers'), prefix: testTopicPrefix() });
    kafka = await connectTestKafka(service, [{ topic: TOPIC, partitions: 1, totalOrder: true }]);
    producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    epoch = randomUUID();
    sent = 0;
  });
  afterEach(async () => {
    await Promise.all(running.map((feed) => feed.stop()));
    running = [];
    await producer.disconnect();
    await kafka.stop();
  });

  it('delivers each change to the watchers of its key, and replays from a cursor', async () => {
    const feed = start();
    const live = await feed.open(['a']);
    const all = await feed.open(undefined);
    const begin = feed.position();
    await send(['a', 'b', 'a']);
    expect(await take(live, 2)).toEqual(['a1', 'a3']);
    expect(await take(all, 3)).toEqual(['a1', 'b2', 'a3']);
    const replay = await feed.open(['a', 'b'], begin);
    expect(replay.start).toBe('replay');
    expect(await take(replay, 3)).toEqual(['a1', 'b2', 'a3']);
    const rest = await feed.open(undefined, feed.cursorAfter({ offset: 1, at: 0 }));
    expect(await take(rest, 1)).toEqual(['a3']);
    expect([feed.versionOf('a'), feed.versionOf('b'), feed.versionOf('c')]).toEqual([
      3,
      2,
      undefined,
    ]);
  });

  it('reads the last 10,000 changes at its start, and requests a snapshot for an earlier cursor', async () => {
    for (let chunk = 0; chunk < 3; chunk += 1) {
      await send(Array.from({ length: 4_000 }, (_, index) => `k${index}`));
    }
    const feed = start();
    await feed.open(undefined);
    expect(feed.position().offset).toBe(12_000);
    const early = await feed.open(undefined, { epoch, offset: 1_999, at: 0 });
    expect(early.start).toBe('snapshot');
    const first = await feed.open(undefined, { epoch, offset: 2_000, at: 0 });
    expect(first.start).toBe('replay');
    expect(await take(first, 1)).toEqual(['k20002001']);
  });

  it('requests a snapshot for a cursor of another epoch or without an offset', async () => {
    const feed = start();
    await send(['a']);
    const other = { epoch: randomUUID(), offset: 0, at: 0 };
    expect((await feed.open(undefined, other)).start).toBe('snapshot');
    expect((await feed.open(undefined, { epoch, offset: null, at: 0 })).start).toBe('snapshot');
  });

  it('waits until it reaches the cursor of a replica that is ahead', async () => {
    const feed = start();
    await feed.open(undefined);
    const ahead = feed.open(undefined, { epoch, offset: 2, at: 0 });
    let isOpen = false;
    void ahead.then(() => {
      isOpen = true;
    });
    await send(['a']);
    await expect
      .poll(() => feed.position().offset === 1, {
        message: 'the change is read',
      })
      .toBe(true);
    expect(isOpen).toBe(false);
    await send(['b']);
    expect((await ahead).start).toBe('replay');
  });

  it('drops duplicates and changes of a replaced relay, and reports a new epoch', async () => {
    const feed = start();
    const watch = await feed.open(undefined);
    await send(['a'], { [HEADER.term]: '2' });
    await send(['a'], { [HEADER.term]: '1' });
    await send(['a'], { [HEADER.version]: '1', [HEADER.term]: '2' });
    await send(['b'], { [HEADER.term]: '2' });
    expect(await take(watch, 2)).toEqual(['a1', 'b4']);
    const old = epoch;
    epoch = randomUUID();
    await producer.send({
      topic: kafka.name(TOPIC),
      messages: [{ key: null, value: null, headers: { [HEADER.epoch]: epoch } }],
    });
    expect(await take(watch, 1)).toEqual(['missed']);
    await send(['c'], { [HEADER.epoch]: old, [HEADER.term]: '9' });
    await send(['d'], { [HEADER.version]: '1' });
    expect(await take(watch, 1)).toEqual(['d6']);
    expect(feed.position().epoch).toBe(epoch);
  });

  it('continues without gaps or duplicates after a rebalance, and waits 5 s before it requests a snapshot for a cursor past the end', async () => {
    const feed = start();
    const watch = await feed.open(undefined);
    await send(['a', 'b']);
    expect(await take(watch, 2)).toEqual(['a1', 'b2']);
    const pastEnd = feed.open(undefined, { epoch, offset: 50, at: 0 });
    const from = Date.now();
    const waited = pastEnd.then(() => Date.now() - from);
    const groupId = await feedGroup();
    // The second member gets the only partition or none. After that member has left, the feed is
    // the group's only member again.
    const leave = await joinAndLeave(groupId);
    await send(['c', 'd']);
    await leave();
    await send(['e']);
    expect(await take(watch, 3)).toEqual(['c3', 'd4', 'e5']);
    expect(feed.position().offset).toBe(5);
    expect((await pastEnd).start).toBe('snapshot');
    expect(await waited).toBeGreaterThan(4_900);
    expect(await waited).toBeLessThan(6_500);
  });

  it('must seek after each join: without a seek, kafkajs skips the changes that were sent while it was not in the group', async () => {
    const groupId = kafka.name(`bare-${randomUUID()}`);
    const seen: string[] = [];
    const bare = kafka.client.consumer({ groupId, maxWaitTimeInMs: 100 });
    await bare.connect();
    await bare.subscribe({ topics: [kafka.name(TOPIC)], fromBeginning: false });
    const joined = new Promise<void>((resolve) => {
      bare.on(bare.events.GROUP_JOIN, () => resolve());
    });
    await bare.run({
      autoCommit: false,
      eachMessage: async ({ message }) => void seen.push(String(message.value)),
    });
    await joined;
    await expect
      .poll(
        async () => {
          await send(['a']);
          return seen.length > 0;
        },
        { message: 'the change is read' },
      )
      .toBe(true);
    // The consumer leaves the group for some time, as it would after a session time-out.
    await bare.stop();
    await send(['lost']);
    const lost = `lost${sent}`;
    const again = new Promise<void>((resolve) => {
      bare.on(bare.events.GROUP_JOIN, () => resolve());
    });
    await bare.run({
      autoCommit: false,
      eachMessage: async ({ message }) => void seen.push(String(message.value)),
    });
    await again;
    await expect
      .poll(
        async () => {
          await send(['z']);
          return seen.some((text) => text.startsWith('z'));
        },
        { message: 'the consumer reads again' },
      )
      .toBe(true);
    expect(seen).not.toContain(lost);
    await bare.disconnect();
  });

  it('reports ready while the broker is unavailable', async () => {
    expect((await service.health.report()).parts['kafka']).toEqual({ state: 'ok' });
    const down = createTestService({ brokers: '127.0.0.1:1', prefix: 'x.' });
    const { startKafka } = await import('@gudang/kafka');
    const unavailable = startKafka(down, []);
    const feed = startChangeFeed(down, { kafka: unavailable, topic: TOPIC, database });
    running.push(feed);
    const report = await down.health.report();
    expect(report.ready).toBe(true);
    expect(report.parts['feed']).toMatchObject({ state: 'degraded' });
    expect(report.parts['kafka']).toMatchObject({ state: 'degraded' });
    await unavailable.stop();
  });

  async function feedGroup(): Promise<string> {
    const admin = kafka.client.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    await admin.disconnect();
    const mine = groups.find(({ groupId }) => groupId.startsWith(`${kafka.name(TOPIC)}-feed-`));
    if (mine === undefined) throw new Error('The change feed has no group');
    return mine.groupId;
  }

  async function joinAndLeave(groupId: string): Promise<() => Promise<void>> {
    const consumer = kafka.client.consumer({ groupId, heartbeatInterval: 200 });
    await consumer.connect();
    await consumer.subscribe({ topics: [kafka.name(TOPIC)] });
    const joined = new Promise<void>((resolve) => {
      consumer.on(consumer.events.GROUP_JOIN, () => resolve());
    });
    await consumer.run({
      autoCommit: false,
      eachMessage: async () => {},
    });
    await joined;
    return () => consumer.disconnect();
  }
});
