import {
  createBackoff,
  createOutageLog,
  OK,
  type PartState,
  pause,
  type Service,
  StartError,
  type Stoppable,
} from '@gudang/runtime';
import type { Kafka } from 'kafkajs';
import { createKafkaClient, LONGEST_RETRY_MS } from './kafka-client.ts';
import { isKafkaError, kafkaProblem } from './kafka-problem.ts';
import type { kafkaSettings } from './settings.ts';
import { ensureTopics, type TopicSpec } from './topics.ts';

/**
 * Time without an answer after which Kafka is considered unavailable, in milliseconds. The broker
 * answers an idle consumer's fetches every second.
 */
const SILENCE_MS = 5_000;
/** Interval between checks whether an outage must be logged, in milliseconds. */
const CHECK_MS = 2_000;
/**
 * Maximum number of times that kafkajs itself retries an admin request. The number is small,
 * because `startKafka` retries these requests too.
 */
const ADMIN_RETRIES = 2;

type KafkaService = Pick<
  Service<typeof kafkaSettings>,
  'name' | 'settings' | 'health' | 'log' | 'fail'
>;

export interface KafkaConnection extends Stoppable {
  readonly client: Kafka;
  /** Resolves once the broker has answered and every topic exists. Never rejects. */
  readonly ready: Promise<void>;
  /** Aborted when the connection is stopped. */
  readonly signal: AbortSignal;
  /** Returns the name of a topic or group on the broker, which begins with KAFKA_TOPIC_PREFIX. */
  readonly name: (topicOrGroup: string) => string;
  /** Creates topics that have been deleted. */
  readonly ensureTopics: () => Promise<void>;
  /** Records that the broker has answered. */
  readonly answered: () => void;
  /** Records a failure. Errors that do not come from kafkajs are ignored. */
  readonly failed: (error: unknown) => void;
  readonly state: () => PartState;
}

/**
 * Connects in the background and creates missing topics, retrying indefinitely. During an outage,
 * the `kafka` entry of `/readyz` is degraded, not down, and the outage is logged at long intervals.
 * @param whileUnavailable a sentence for the log that says what still works during an outage
 */
export function startKafka(
  { name, settings, health, log, fail }: KafkaService,
  topics: readonly TopicSpec[],
  whileUnavailable = '',
): KafkaConnection {
  const brokers = settings.KAFKA_BROKERS;
  const prefix = settings.KAFKA_TOPIC_PREFIX;
  const stopped = new AbortController();
  const client = createKafkaClient(name, settings, log);

  // This separate client gives up after fewer retries than `client`, whose retries take 10 s. With
  // `client`, the log would report that no broker answers before it could name a wrong setting.
  const adminClient = createKafkaClient(name, settings, log, ADMIN_RETRIES);

  const outage = createOutageLog(log, {
    what: `Kafka at ${brokers.join(', ')}`,
    meanwhile: whileUnavailable && `. ${whileUnavailable}`,
  });
  let lastAnswer = 0;
  let lastError: unknown;
  const isSilent = (): boolean => Date.now() - lastAnswer > SILENCE_MS;
  const updateLog = (): void => {
    if (isSilent()) outage.report(kafkaProblem(lastError, brokers));
    else outage.end();
  };
  let timer = setTimeout(function check() {
    updateLog();
    timer = setTimeout(check, CHECK_MS);
  }, SILENCE_MS);

  const answered = (): void => {
    lastAnswer = Date.now();
    lastError = undefined;
  };
  const failed = (error: unknown): void => {
    if (!isKafkaError(error)) return;
    lastError = error;
    // A wrong setting is logged at once. An outage may be short, so it is logged by `check`
    // instead, once the silence has lasted.
    if (kafkaProblem(error, brokers).lasting && isSilent()) updateLog();
  };

  const ensure = async (): Promise<void> => {
    const prefixed = topics.map((spec) => ({ ...spec, topic: prefix + spec.topic }));
    await ensureTopics(adminClient, prefixed, settings.KAFKA_REPLICATION);
    answered();
  };

  const ready = (async () => {
    const backoff = createBackoff(200, LONGEST_RETRY_MS);
    while (!stopped.signal.aborted) {
      try {
        await ensure();
        return;
      } catch (error) {
        if (error instanceof StartError) {
          fail(error.message, error);
          break;
        }
        failed(error);
        log.debug({ err: error }, 'Kafka did not answer; retrying');
        await pause(backoff.next(), stopped.signal);
      }
    }
    await new Promise(() => {});
  })();

  const state = (): PartState =>
    isSilent() ? { state: 'degraded', reason: kafkaProblem(lastError, brokers).reason } : OK;
  health.watch('kafka', state);
  return {
    client,
    ready,
    signal: stopped.signal,
    name: (topicOrGroup) => prefix + topicOrGroup,
    ensureTopics: ensure,
    answered,
    failed,
    state,
    stop: async () => {
      stopped.abort();
      clearTimeout(timer);
    },
  };
}
