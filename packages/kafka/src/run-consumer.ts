import {
  createBackoff,
  type Logger,
  OK,
  type PartState,
  pause,
  type Stoppable,
} from '@gudang/runtime';
import type { Consumer, ConsumerConfig } from 'kafkajs';
import { LONGEST_RETRY_MS } from './kafka-client.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { findFault } from './kafka-problem.ts';

/** Maximum time that stopping waits for a batch in flight, in milliseconds. */
const STOP_DEADLINE_MS = 5_000;
/**
 * Minimum time between a fault's last occurrence and a fetch after which the fault is considered
 * over, in milliseconds. With a shorter time, a fault could be considered over too early, because
 * kafkajs itself retries for about 3 s before it reports the same fault again.
 */
const FAULT_QUIET_MS = 10_000;
/** Interval between log lines about the same fault, in milliseconds. */
const REMINDER_MS = 30_000;

/** kafkajs's options for every consumer. */
const OPTIONS = {
  allowAutoTopicCreation: false,
  // Time for which a silent consumer keeps its partitions. The time is the minimum that brokers
  // allow by default, because the rest of the group waits this long after a consumer's crash or a
  // broker's restart.
  sessionTimeout: 6_000,
  heartbeatInterval: 2_000,
  // The broker answers a fetch at once when there are new records, so a long wait delays nothing.
  // With a wait of 50 ms, idle fetches took 3% of a core.
  maxWaitTimeInMs: 1_000,
  retry: {
    initialRetryTime: 100,
    maxRetryTime: LONGEST_RETRY_MS,
    restartOnFailure: async () => true,
  },
} satisfies Omit<ConsumerConfig, 'groupId'>;

/**
 * Creates a consumer with this system's options. The consumer reports each answer of the broker to
 * `kafka`.
 */
export function createConsumer(
  kafka: Pick<KafkaConnection, 'client' | 'answered'>,
  groupId: string,
): Consumer {
  const consumer = kafka.client.consumer({ ...OPTIONS, groupId });
  // Do not use FETCH here, because kafkajs emits it even after a failed fetch.
  consumer.on(consumer.events.REQUEST, kafka.answered);
  return consumer;
}

export interface RunningConsumer extends Stoppable {
  /**
   * Returns `down` while an error of the consumer itself stops it. Outages of the brokers are
   * reported by the `kafka` entry of `/readyz` instead.
   */
  readonly state: () => PartState;
}

/**
 * Runs a consumer until it is stopped, retrying indefinitely. kafkajs alone gives up in two cases:
 * after some attempts to connect, and after an error that it considers permanent (tulios/kafkajs
 * #1445, #1630), such as a missing coordinator or a failed authentication. In both cases, this
 * function restarts the consumer and does not end the process, because the other parts of the
 * service still work.
 */
export function runConsumer(
  {
    kafka,
    consumer,
    name,
    signal,
    log,
  }: {
    kafka: Pick<KafkaConnection, 'ready' | 'failed'>;
    consumer: Consumer;
    /** The consumer's name for the log and `/readyz`, such as `The consumer of payments`. */
    name: string;
    /** Aborted when the consumer must stop. */
    signal: AbortSignal;
    log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  },
  {
    prepare,
    run,
  }: {
    /** Called after each connection, until a call has resolved. */
    prepare: () => Promise<void>;
    /** Calls `consumer.run`. Called after each connection. */
    run: () => Promise<void>;
  },
): RunningConsumer {
  const backoff = createBackoff(200, LONGEST_RETRY_MS);
  let prepared = false;
  let fault:
    | { readonly reason: string; readonly at: number; readonly loggedAt: number }
    | undefined;

  const report = (error: unknown): void => {
    kafka.failed(error);
    const found = findFault(error);
    if (found === undefined) return;
    log.debug({ err: error }, 'a consumer crashed; restarting it');
    const reason = `${name} is stopped: ${found.reason}`;
    const now = Date.now();
    const isNew = fault?.reason !== reason || now - fault.loggedAt > REMINDER_MS;
    if (isNew) log.warn(`${reason}: ${found.advice}; retrying`);
    fault = { reason, at: now, loggedAt: isNew ? now : (fault?.loggedAt ?? now) };
  };

  const start = async (): Promise<void> => {
    await kafka.ready;
    while (!signal.aborted) {
      try {
        await consumer.connect();
        if (!prepared) await prepare();
        prepared = true;
        await run();
        return;
      } catch (error) {
        kafka.failed(error);
        log.debug({ err: error }, 'a consumer could not start; retrying');
        await pause(backoff.next(), signal);
      }
    }
  };
  consumer.on(consumer.events.GROUP_JOIN, () => backoff.reset());
  consumer.on(consumer.events.FETCH, () => {
    if (fault === undefined || Date.now() - fault.at < FAULT_QUIET_MS) return;
    fault = undefined;
    log.info(`${name} runs again`);
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (signal.aborted) return;
    report(payload.error);
    if (!payload.restart) void pause(backoff.next(), signal).then(start);
  });
  void start();
  return {
    state: () => (fault === undefined ? OK : { state: 'down', reason: fault.reason }),
    // The wait is limited, because kafkajs's own disconnect may hang (tulios/kafkajs #767, #1639).
    stop: () => Promise.race([consumer.disconnect().catch(() => {}), pause(STOP_DEADLINE_MS)]),
  };
}
