import type { Service, Stoppable } from '@gudang/runtime';
import {
  createBackoff,
  createOutageLog,
  OK,
  type PartState,
  pause,
  StartError,
} from '@gudang/runtime';
import type { Kafka } from 'kafkajs';
import { createKafkaClient, LONGEST_RETRY_MS } from './kafka-client.ts';
import { isOfKafka, kafkaProblem } from './kafka-problem.ts';
import type { kafkaSettings } from './settings.ts';
import { ensureTopics, type TopicSpec } from './topics.ts';

/** A broker that has not answered for so long is called down; fetches answer each second. */
const SILENCE_MS = 5_000;
/** How often kafkajs itself tries again what is tried again anyway. */
const ASK_RETRIES = 2;

type KafkaService = Pick<
  Service<typeof kafkaSettings>,
  'name' | 'settings' | 'health' | 'log' | 'fail'
>;

export interface KafkaConnection extends Stoppable {
  readonly client: Kafka;
  /** Resolves once the broker has answered and every topic is there; waits for ever. */
  readonly ready: Promise<void>;
  /** Aborted when the connection is stopped. */
  readonly signal: AbortSignal;
  /** The name on the broker: with this system's prefix. */
  readonly name: (topicOrGroup: string) => string;
  /** Creates again the topics that have gone. */
  readonly ensureTopics: () => Promise<void>;
  /** Noted by whoever just had an answer from the broker. */
  readonly answered: () => void;
  /** Noted by whoever could not do something; errors of others than Kafka are passed over. */
  readonly failed: (error: unknown) => void;
  readonly state: () => PartState;
}

/**
 * Connects in the background and creates missing topics. A broker that is away is named in the
 * log at a slow pace and tried for ever.
 */
export function startKafka(
  { name, settings, health, log, fail }: KafkaService,
  topics: readonly TopicSpec[],
): KafkaConnection {
  const brokers = settings.KAFKA_BROKERS;
  const prefix = settings.KAFKA_TOPIC_PREFIX;
  const stopped = new AbortController();
  const client = createKafkaClient(name, settings, log);

  // A client of its own for what is tried here again and again: by the other's patience of 10 s, what is wrong would be
  // known only when people have been told that nobody answers.
  const asking = createKafkaClient(name, settings, log, ASK_RETRIES);

  const outage = createOutageLog(log, {
    what: `Kafka at ${brokers.join(', ')}`,
    meanwhile: '. Orders are taken meanwhile and settle when it is back',
  });
  let lastAnswer = 0;
  let lastError: unknown;
  const isSilent = (): boolean => Date.now() - lastAnswer > SILENCE_MS;
  const remind = (): void => {
    if (isSilent()) outage.lasts(kafkaProblem(lastError, brokers));
    else outage.over();
  };
  const watch = setTimeout(function check() {
    remind();
    timer = setTimeout(check, 2_000);
  }, SILENCE_MS);
  let timer = watch;

  const answered = (): void => {
    lastAnswer = Date.now();
    lastError = undefined;
  };
  const failed = (error: unknown): void => {
    if (!isOfKafka(error)) return;
    lastError = error;
    // An outage may be over in a moment; what is set wrong is not.
    if (kafkaProblem(error, brokers).lasting && isSilent()) remind();
  };

  const ensure = async (): Promise<void> => {
    const named = topics.map((spec) => ({ ...spec, topic: prefix + spec.topic }));
    await ensureTopics(asking, named, settings.KAFKA_REPLICATION);
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
        log.debug({ err: error }, 'the broker did not answer');
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
