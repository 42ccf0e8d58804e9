import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testTopicPrefix } from '@gudang/embedded/testing';
import type { KafkaConnection } from '@gudang/kafka';
import { headerText, type KafkaRecord, startConsumer, withDeadLetters } from '@gudang/kafka';
import { connectTestKafka, createTestService } from '@gudang/kafka/testing';
import { HEADER } from '@gudang/messages';
import kafkajs, { type Kafka, Partitioners, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseCommand } from './cli.ts';
import { runCommand } from './run-command.ts';

describe('the dead-letters command', () => {
  const prefix = testTopicPrefix();
  const service = createTestService({ brokers: inject('kafkaBrokers'), prefix });
  let kafka: KafkaConnection;
  let producer: Producer;

  const run = async (words: string): Promise<string> => {
    const knownTopics = ['order_created', 'order_decided'];
    const command = parseCommand(words.split(' '), knownTopics);
    if (command === undefined) throw new Error(`no command: ${words}`);
    return runCommand(kafka.client, { prefix, knownTopics }, command);
  };
  const setAside = (value: string | Buffer, originOffset: number) =>
    producer.send({
      topic: kafka.name('order_created.dlt'),
      messages: [
        {
          key: 'kopi',
          value,
          headers: {
            ce_id: 'original',
            [HEADER.originTopic]: kafka.name('order_created'),
            [HEADER.originPartition]: '1',
            [HEADER.originOffset]: String(originOffset),
            [HEADER.originTimestamp]: '1767323045678',
            [HEADER.reason]: 'the value is not JSON',
          },
        },
      ],
    });

  beforeAll(async () => {
    kafka = await connectTestKafka(
      service,
      withDeadLetters({ topic: 'order_created', partitions: 2 }),
    );
    producer = kafka.client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
  });
  afterAll(async () => {
    await producer.disconnect();
    await kafka.stop();
  });

  it('finds no dead letters in an empty or missing topic', async () => {
    expect(await run('list')).toBe('no dead letters');
    expect(await run('list nothing_like_it')).toBe('no dead letters');
    expect(await run('replay order_created all')).toBe('no dead letters');
  });

  it('lists, shows, replays and drops dead letters', async () => {
    const applied: KafkaRecord[] = [];
    const consumer = startConsumer(service, {
      kafka,
      topic: 'order_created',
      group: 'replayed',
      handle: async (records) => void applied.push(...records),
    });
    await setAside('first', 7);
    await setAside('second', 8);
    await setAside('first', 7);
    await setAside(Buffer.from([0xff, 0x00]), 9);

    const list = (await run('list order_created.dlt')).split('\n');
    expect(list).toHaveLength(4);
    expect(list[0]).toMatch(/^OFFSET +ORIGIN +WHEN +TIMES +REASON +KEY +VALUE$/);
    expect(list[2]).toMatch(
      new RegExp(
        `^2 +${prefix}order_created 1/7 +2026-01-02T03:04:05.678Z +2 .*not JSON +kopi +first$`,
      ),
    );
    expect(list[3]).toMatch(/ hex ff00$/);

    const shown = await run('show order_created 0');
    expect(shown).toContain('ce_id: original');
    expect(shown).toContain('at: 0, 2');
    expect(shown).toMatch(/value:\nfirst$/);

    expect(await run('replay order_created 0')).toBe(`replayed ${prefix}order_created 1/7`);
    await expect
      .poll(() => applied.length > 0, {
        message: 'the record is applied',
      })
      .toBe(true);
    expect(String(applied[0]?.value)).toBe('first');
    expect(String(applied[0]?.key)).toBe('kopi');
    expect(headerText(applied[0]?.headers ?? {}, 'ce_id')).toBe('original');
    expect(headerText(applied[0]?.headers ?? {}, HEADER.reason)).toBeUndefined();
    await expect(run('show order_created 2')).rejects.toThrow(
      'no unhandled dead letter at offset 2',
    );

    expect(await run('drop order_created 3')).toBe(`dropped ${prefix}order_created 1/9`);
    expect((await run('list')).split('\n')).toHaveLength(2);
    await run('replay order_created all');
    await expect
      .poll(() => applied.length === 2, {
        message: 'the record is applied',
      })
      .toBe(true);
    expect(await run('list')).toBe('no dead letters');
    await consumer.stop();
  });

  it('lists, and drops, but does not replay the dead letter of a whole batch', async () => {
    await producer.send({
      topic: kafka.name('order_created.dlt'),
      messages: [
        {
          value: Buffer.from([0, 1, 2]),
          headers: {
            [HEADER.originTopic]: kafka.name('order_created'),
            [HEADER.originPartition]: '0',
            [HEADER.originOffset]: '20',
            [HEADER.originLastOffset]: '29',
            // The producer of a batch may set any timestamp.
            [HEADER.originTimestamp]: '9223372036854775807',
            [HEADER.reason]: 'the record batch cannot be decoded: The checksum is wrong',
          },
        },
      ],
    });
    const origin = `${prefix}order_created 0/20-29`;
    expect(await run('list')).toContain(origin);
    const refusal = `not replayed, because it is a whole batch: ${origin}`;
    expect(await run('replay order_created all')).toBe(refusal);
    expect(await run(`drop ${prefix}order_created all`)).toBe(`dropped ${origin}`);
  });

  it('distinguishes a topic from a topic whose name begins with the prefix', async () => {
    const names = { prefix: 'order_', knownTopics: ['order_created'] };
    const command = { verb: 'show', topic: 'order_created', offset: '0' } as const;
    const listed: string[] = [];
    const client = {
      admin: () => ({
        connect: async () => {},
        disconnect: async () => {},
        fetchTopicMetadata: async ({ topics }: { topics: string[] }) => {
          listed.push(...topics);
          throw new kafkajs.KafkaJSProtocolError({ type: 'UNKNOWN_TOPIC_OR_PARTITION' } as never);
        },
      }),
    } as unknown as Kafka;
    for (const topic of ['order_created', 'order_order_created']) {
      await runCommand(client, names, { ...command, topic }).catch(() => {});
    }
    expect(listed).toEqual(['order_order_created.dlt', 'order_order_created.dlt']);
  });

  it('lists a record that fails again after a replay', async () => {
    await setAside('second', 11);
    expect((await run('list')).split('\n')).toHaveLength(2);
    await run('drop order_created all');
  });

  it('prints usage, results and problems', async () => {
    const program = fileURLToPath(new URL('./main.ts', import.meta.url));
    const command = (words: string[], brokers: string) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        const child = execFile(
          process.execPath,
          ['--conditions=source', '--import=tsx', program, ...words],
          { env: { ...process.env, KAFKA_BROKERS: brokers, KAFKA_TOPIC_PREFIX: prefix } },
          (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
        );
      });
    const [listed, wrong, lost] = await Promise.all([
      command(['list'], inject('kafkaBrokers')),
      command(['replay', 'order_created'], inject('kafkaBrokers')),
      command(['list'], '127.0.0.1:1'),
    ]);
    expect(listed).toEqual({ code: 0, out: 'no dead letters\n', err: '' });
    expect(wrong).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^Usage: /) });
    expect(lost).toMatchObject({ code: 1, out: '' });
    expect(lost.err).toMatch(
      /^Kafka at 127\.0\.0\.1:1 does not answer: .*set KAFKA_BROKERS .*ECONNREFUSED.*\n$/,
    );
  });
});
