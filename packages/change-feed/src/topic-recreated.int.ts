import { spawn } from 'node:child_process';
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

it('the change feed reports missed changes after its topic was recreated with the same number of records', async () => {
  const prefix = testTopicPrefix();
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix });
  const kafka = await connectTestKafka(service, [{ topic: TOPIC, partitions: 1 }]);
  const topic = kafka.name(TOPIC);
  const producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  const admin = kafka.client.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  const [before, after] = [randomUUID(), randomUUID()];
  const feed = spawn(
    process.execPath,
    [
      ...['--conditions=source', '--import=tsx', program],
      ...[inject('kafkaBrokers'), prefix, TOPIC, before, 'feed'],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  onTestFinished(async () => {
    feed.kill('SIGKILL');
    await Promise.all([producer.disconnect(), admin.disconnect()]);
    await kafka.stop();
  });
  const lines: string[] = [];
  createInterface(feed.stdout).on('line', (line) => lines.push(line));
  const send = async (epoch: string, ...values: string[]): Promise<void> => {
    const messages = values.map((value, index) => ({
      key: value,
      value,
      headers: {
        [HEADER.version]: String(index + 1),
        [HEADER.term]: '1',
        [HEADER.epoch]: epoch,
        [HEADER.time]: new Date().toISOString(),
      },
    }));
    await producer.send({ topic, messages });
  };
  await expect
    .poll(() => lines.includes('ready'), {
      message: 'the reader runs',
    })
    .toBe(true);
  await send(before, 'a', 'b');
  await expect
    .poll(() => lines.includes('b'), {
      message: 'both changes are read',
    })
    .toBe(true);

  // While the process is frozen, it does not notice the deletion, and its session ends. It must
  // therefore rejoin its group.
  feed.kill('SIGSTOP');
  await admin.deleteTopics({ topics: [topic] });
  await expect
    .poll(async () => !(await admin.listTopics()).includes(topic), {
      message: 'the topic is deleted',
    })
    .toBe(true);
  await admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
  const accepts = () =>
    send(after, 'c', 'd').then(
      () => true,
      () => false,
    );
  await expect.poll(accepts, { message: 'the new topic accepts records' }).toBe(true);
  await expect
    .poll(
      async () => {
        const { groups } = await admin.listGroups();
        const ours = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(prefix));
        const described = await admin.describeGroups(ours);
        return described.groups.every(({ members }) => members.length === 0);
      },
      { message: 'the reader’s session ends' },
    )
    .toBe(true);
  feed.stdin.write(`${after}\n`);
  feed.kill('SIGCONT');
  await expect
    .poll(() => lines.includes('missed'), {
      message: 'it reports missed changes',
    })
    .toBe(true);
  expect(lines.filter((line) => line !== 'ready').slice(0, 3)).toEqual(['a', 'b', 'missed']);
});
