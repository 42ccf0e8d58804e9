import { createHealth, createMetrics } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import { pino } from 'pino';
import { type KafkaConnection, startKafka } from '../kafka-connection.ts';
import { kafkaSettings } from '../settings.ts';
import type { TopicSpec } from '../topics.ts';

/** Creates the parts of a service that a test needs, and collects log lines and fatal failures. */
export function createTestService({ brokers, prefix }: { brokers: string; prefix: string }) {
  const failures: string[] = [];
  const lines: string[] = [];
  const log = pino(
    { level: process.env['TEST_LOG'] ?? 'info' },
    { write: (line: string) => void lines.push(line) },
  );
  const settings = readSettings(kafkaSettings, {
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_PARTITIONS: '2',
  });
  return {
    name: 'test-service',
    settings,
    log,
    health: createHealth(),
    metrics: createMetrics('test-service'),
    fail: (reason: string) => void failures.push(reason),
    failures,
    /** Log lines, each in JSON. */
    lines,
  };
}

export type TestService = ReturnType<typeof createTestService>;

/** Starts a connection and waits until the topics exist. */
export async function connectTestKafka(
  service: TestService,
  topics: readonly TopicSpec[],
): Promise<KafkaConnection> {
  const kafka = startKafka(service, topics);
  await kafka.ready;
  return kafka;
}
