import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { testTopicPrefix } from '@gudang/embedded/testing';
import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { HEADER } from '@gudang/messages';
import { Partitioners } from 'kafkajs';
import { expect, inject, it, onTestFinished } from 'vitest';

const TOPIC = 'stock_changed';
const program = fileURLToPath(new URL('./testing/feed-process.ts', import.meta.url));

it('the change feed misses no change when its session ends while its process is frozen, unlike kafkajs alone', async () => {
  const prefix = testTopicPrefix();
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix });
  const kafka = await connectTestKafka(service, [{ topic: TOPIC, partitions: 1 }]);
  const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const admin = kafka.client.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  onTestFinished(async () => {
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    await kafka.stop();
  });
  const epoch = randomUUID();

  const start = (mode: 'feed' | 'bare') => {
    const words = ['--conditions=source', '--import=tsx', program];
    const child: ChildProcess = spawn(
      process.execPath,
      [...words, inject('kafkaBrokers'), prefix, TOPIC, epoch, mode],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines: string[] = [];
    if (child.stdout) createInterface(child.stdout).on('line', (line) => lines.push(line));
    return { lines, kill: (signal: NodeJS.Signals) => child.kill(signal) };
  };
  let version = 0;
  const send = async (...values: string[]): Promise<void> => {
    for (const value of values) {
      version += 1;
      const headers = {
        [HEADER.version]: String(version),
        [HEADER.term]: '1',
        [HEADER.epoch]: epoch,
        [HEADER.time]: new Date().toISOString(),
      };
      await producer.send({
        topic: kafka.name(TOPIC),
        messages: [{ key: value, value, headers }],
      });
    }
  };
  /** Counts the groups of this test that have members. */
  const members = async (): Promise<number> => {
    const { groups } = await admin.listGroups();
    const ours = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix));
    const described = await admin.describeGroups(ours);
    return described.groups.filter((group) => group.members.length > 0).length;
  };

  const readers = [start('feed'), start('bare')] as const;
  const [feed, bare] = readers;
  await expect
    .poll(() => readers.every(({ lines }) => lines.includes('ready')), {
      message: 'both readers run',
    })
    .toBe(true);
  await expect
    .poll(
      async () => {
        await send('before');
        return readers.every(({ lines }) => lines.includes('before'));
      },
      { message: 'both readers have read' },
    )
    .toBe(true);

  for (const reader of readers) reader.kill('SIGSTOP');
  // The first record answers the pending fetch. The other records wait for the next fetch.
  await send('first', 'second', 'third');
  await expect
    .poll(async () => (await members()) === 0, {
      message: 'both sessions end',
    })
    .toBe(true);
  await send('fourth');
  for (const reader of readers) reader.kill('SIGCONT');
  await expect
    .poll(
      async () => {
        await send('after');
        return readers.every(({ lines }) => lines.includes('after'));
      },
      { message: 'both readers read again' },
    )
    .toBe(true);

  const missed = ['first', 'second', 'third', 'fourth'];
  const seen = feed.lines.filter((line) => missed.includes(line));
  expect(seen).toEqual(missed);
  expect(feed.lines).not.toContain('missed');
  expect(bare.lines.filter((line) => missed.includes(line)).length).toBeLessThan(missed.length);
});
