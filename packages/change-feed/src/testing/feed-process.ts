import { createInterface } from 'node:readline';
import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import type { SqlClient } from '@gudang/postgres';
import { startChangeFeed } from '../change-feed.ts';

/**
 * This program reads a change topic and prints `ready`, then the value of each change. A test runs
 * it as a separate process, to freeze that process. In mode `feed`, the program uses the change
 * feed; in mode `bare`, it uses kafkajs alone and does not seek.
 */
const [brokers = '', prefix = '', topic = '', epoch = '', mode = ''] = process.argv.slice(2);
const service = createTestService({ brokers, prefix });
const kafka = await connectTestKafka(service, []);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (mode === 'feed') {
  // The epoch that the database returns. A line on standard input replaces it.
  let current = epoch;
  createInterface(process.stdin).on('line', (line) => {
    current = line;
  });
  const database = {
    $queryRawUnsafe: async () => [{ epoch: current, at: new Date(0) }],
  } as unknown as SqlClient;
  const watch = await startChangeFeed(service, { kafka, topic, database }).open(undefined);
  say('ready');
  for (;;) {
    const change = await watch.next();
    if (change === undefined) break;
    say(change === 'missed' ? change : String(change.value));
  }
} else {
  const consumer = kafka.client.consumer({
    groupId: kafka.name(`bare-${process.pid}`),
    sessionTimeout: 6_000,
    heartbeatInterval: 2_000,
    maxWaitTimeInMs: 1_000,
  });
  consumer.on(consumer.events.FETCH_START, () => say('ready'));
  await consumer.connect();
  await consumer.subscribe({ topics: [kafka.name(topic)], fromBeginning: false });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => say(String(message.value)),
  });
}
