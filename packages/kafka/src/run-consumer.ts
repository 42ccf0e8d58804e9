import type { Logger, Service } from '@gudang/runtime';
import { createBackoff, pause } from '@gudang/runtime';
import type { Consumer } from 'kafkajs';
import { LONGEST_RETRY_MS } from './kafka-client.ts';
import type { KafkaConnection } from './kafka-connection.ts';

/** The longest that stopping waits for a batch in flight, in milliseconds. */
const STOP_DEADLINE_MS = 5_000;

/**
 * Runs a consumer until the signal, over any outage of the brokers: kafkajs's own connect gives up
 * after its retries, and a consumer that found no broker to ask for its group's coordinator is
 * stopped for ever. After any other crash that kafkajs does not restart from, only a fresh process
 * consumes again (#1445, #1630).
 */
export function runConsumer(
  {
    kafka,
    consumer,
    name,
    signal,
    log,
    fail,
  }: {
    kafka: Pick<KafkaConnection, 'ready' | 'failed'>;
    consumer: Consumer;
    /** What it is called in the reason for an end of the process. */
    name: string;
    signal: AbortSignal;
    log: Pick<Logger, 'debug'>;
    fail: Service['fail'];
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
): void {
  const backoff = createBackoff(200, LONGEST_RETRY_MS);
  let prepared = false;
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
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (payload.restart || signal.aborted) return;
    kafka.failed(payload.error);
    if (isOutage(payload.error)) void pause(backoff.next(), signal).then(start);
    else fail(`The consumer ${name} crashed and kafkajs gave it up`, payload.error);
  });
  void start();
}

/**
 * No broker could be asked, or it lets nobody in: kafkajs takes these for faults that no retry mends, and a password
 * that is being changed is right again soon.
 */
const OUTAGES = ['KafkaJSGroupCoordinatorNotFound', 'KafkaJSSASLAuthenticationError'];

function isOutage(error: Error | undefined): boolean {
  if (error === undefined) return false;
  return OUTAGES.includes(error.name) || isOutage(error.cause as Error);
}

/** With a deadline: kafkajs's own may hang (#767, #1639). */
export async function disconnectConsumer(consumer: Consumer): Promise<void> {
  await Promise.race([consumer.disconnect().catch(() => {}), pause(STOP_DEADLINE_MS)]);
}
