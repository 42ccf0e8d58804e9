import { Kafka, logLevel } from 'kafkajs';
import { patchRequestQueue } from '../patches/request-queue.ts';

/**
 * This program runs an idle consumer for 3 s and prints its own CPU time during these 3 s, in
 * milliseconds. A test runs it as a separate process.
 */
const [broker = '', topic = '', patched = ''] = process.argv.slice(2);
if (patched === 'patched') patchRequestQueue();
const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
const consumer = client.consumer({ groupId: `${topic}-${process.pid}`, maxWaitTimeInMs: 1_000 });
const fetched = new Promise<void>((resolve) => {
  consumer.on(consumer.events.FETCH, () => resolve());
});
await consumer.connect();
await consumer.subscribe({ topics: [topic] });
await consumer.run({ autoCommit: false, eachMessage: async () => {} });
await fetched;
const before = process.cpuUsage();
await new Promise((done) => setTimeout(done, 3_000));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / 1000}\n`);
await consumer.disconnect();
process.exit(0);
