import {
  createBackoff,
  createOutageLog,
  type Logger,
  OK,
  type PartState,
  pause,
} from '@gudang/runtime';
import type { Consumer } from 'kafkajs';
import { LONGEST_RETRY_MS } from './kafka-client.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { findFault } from './kafka-problem.ts';

/** The longest that stopping waits for a batch in flight, in milliseconds. */
const STOP_DEADLINE_MS = 5_000;
/**
 * A fault counts as mended when records have been fetched and it has not come back for this long,
 * in milliseconds. kafkajs itself tries for about 3 s before it reports the same fault again.
 */
const FAULT_QUIET_MS = 10_000;

export interface RunningConsumer {
  /** Down while a fault stops the consumer; an outage of the brokers is the connection's to report. */
  readonly state: () => PartState;
}

/**
 * Runs a consumer until the signal, retrying indefinitely. kafkajs gives up in two cases: its
 * connect after some retries, and a consumer after an error that it takes for permanent (#1445,
 * #1630), such as no coordinator or a failed authentication. Neither ends the process: the other
 * parts of the service still work.
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
    /** Such as `The consumer of order_created`. */
    name: string;
    signal: AbortSignal;
    log: Pick<Logger, 'debug' | 'info' | 'warn'>;
  },
  {
    prepare,
    run,
  }: {
    /** Once, after the first connection; when it rejects, again. */
    prepare: () => Promise<void>;
    /** After each connection: `consumer.run`. */
    run: () => Promise<void>;
  },
): RunningConsumer {
  const backoff = createBackoff(200, LONGEST_RETRY_MS);
  const faultLog = createOutageLog(log, { what: name });
  let prepared = false;
  let fault: { readonly reason: string; readonly at: number } | undefined;

  const note = (error: unknown): void => {
    kafka.failed(error);
    const found = findFault(error);
    if (found === undefined || signal.aborted) return;
    fault = { reason: `${name} is stopped: ${found.reason}`, at: Date.now() };
    log.debug({ err: error }, 'the consumer crashed');
    faultLog.lasts({ reason: fault.reason, advice: found.advice });
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
        log.debug({ err: error }, 'a consumer could not be started; trying again');
        await pause(backoff.next(), signal);
      }
    }
  };
  consumer.on(consumer.events.GROUP_JOIN, () => backoff.reset());
  consumer.on(consumer.events.FETCH, () => {
    if (fault === undefined || Date.now() - fault.at < FAULT_QUIET_MS) return;
    fault = undefined;
    faultLog.over();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (signal.aborted) return;
    note(payload.error);
    if (!payload.restart) void pause(backoff.next(), signal).then(start);
  });
  void start();
  return {
    state: () => (fault === undefined ? OK : { state: 'down', reason: fault.reason }),
  };
}

/** With a deadline: kafkajs's own may hang (#767, #1639). */
export async function disconnectConsumer(consumer: Consumer): Promise<void> {
  await Promise.race([consumer.disconnect().catch(() => {}), pause(STOP_DEADLINE_MS)]);
}
