import { type KafkaConnection, LONGEST_RETRY_MS, protocolErrors } from '@gudang/kafka';
import { createBackoff, pause, type Service, type Stoppable } from '@gudang/runtime';
import type { Producer } from 'kafkajs';
import { checkEpoch } from './epoch.ts';
import { type LeaderSession, openLeaderSession } from './leader-session.ts';
import { findRowBelow, findWriters } from './outbox-table.ts';
import { connectProducer } from './producer.ts';
import { readBatch } from './read-batch.ts';
import { beginTerm, endTerm } from './relay-term.ts';
import { createRowSender, type Sender } from './send-rows.ts';

/**
 * Polling interval, in milliseconds: the maximum wait of an event whose notification was lost. It
 * is shorter than the session's heartbeat interval, so that an idle relay needs no heartbeats.
 */
const POLL_MS = 900;
/**
 * Interval between two searches for a row that is not above the low-water mark, in milliseconds. Such a
 * row exists only if it was inserted with an explicit id or the sequence of ids was reset.
 */
const SEARCH_INTERVAL_MS = 60_000;
/**
 * Interval between two checks of an idle relay whether the change topic still contains the last sent
 * event, in milliseconds. A broker may lose events that it has acknowledged, for example after a power
 * failure. A busy relay notices this by the offsets of its next batch.
 */
const END_INTERVAL_MS = 5_000;
/** Maximum time that stopping waits for a batch in flight, in milliseconds. */
const STOP_DEADLINE_MS = 5_000;

export interface Relay extends Stoppable {
  /**
   * Wakes the leading relay. Must be called after each commit that wrote to the outbox. A call
   * costs little.
   */
  readonly wake: () => void;
  readonly isLeading: () => boolean;
}

/**
 * Sends the rows of `outbox` to Kafka in the order of their ids and deletes the rows that the
 * broker has acknowledged. One relay per database is active: the holder of the advisory lock.
 */
export function startRelay(
  service: Pick<Service, 'name' | 'log' | 'metrics'>,
  {
    kafka,
    databaseUrl,
    changeTopic,
  }: {
    kafka: KafkaConnection;
    databaseUrl: string;
    /** The topic whose offsets are cursors. */
    changeTopic: string;
  },
): Relay {
  const { log } = service;
  const source = `/${service.name}`;
  const stopping = new AbortController();
  const { signal } = stopping;
  const wakeUp = createWakeUp(signal);
  const sendRows = createRowSender(service);
  let session: LeaderSession | undefined;

  /** Sends rows until the relay is stopped. Rejects if the database or the broker fails. */
  const relayRows = async (sender: Sender): Promise<void> => {
    const { mark } = sender.term;
    let searchedAt = Number.NEGATIVE_INFINITY;
    let endCheckedAt = performance.now();
    while (!signal.aborted) {
      const now = performance.now();
      if (now - searchedAt > SEARCH_INTERVAL_MS) {
        searchedAt = now;
        const id = await findRowBelow(sender.session, mark.value);
        if (id !== undefined) mark.lower(id);
      }
      await mark.advance(() => findWriters(sender.session));
      const batch = await readBatch(sender.session, mark.value);
      mark.read(batch.rows);
      const isSent = batch.rows.length === 0 || (await sendRows(sender, batch));
      if (!isSent || !batch.isLast) continue;
      if (now - endCheckedAt > END_INTERVAL_MS) {
        endCheckedAt = now;
        await checkEpoch(kafka, sender.producer, {
          ...sender,
          topic: changeTopic,
          onlyEnd: true,
        });
      }
      await wakeUp.next(POLL_MS);
    }
    await endTerm(sender.session, sender.term);
  };

  const lead = async (leader: LeaderSession, producer: Producer): Promise<Sender> => {
    await leader.lead();
    const term = await beginTerm(leader);
    log.info({ term: term.term }, 'relaying the outbox');
    await checkEpoch(kafka, producer, { session: leader, term, topic: changeTopic, source });
    return { kafka, producer, session: leader, term, source, changeTopic };
  };

  const run = async (): Promise<void> => {
    const backoff = createBackoff(100, LONGEST_RETRY_MS);
    let producer: Producer | undefined;
    while (!signal.aborted) {
      try {
        // Connect to the broker first: a relay without a broker must not hold the lock.
        producer ??= await connectProducer(kafka, signal);
        session = await openLeaderSession({ databaseUrl, onNotify: wakeUp.wake, signal });
        const sender = await lead(session, producer);
        backoff.reset();
        await relayRows(sender);
      } catch (error) {
        if (signal.aborted) break;
        kafka.failed(error);
        log.debug({ err: error }, 'the relay failed; restarting it');
        // The topic was deleted or lost with the broker's data. Create it again.
        if (protocolErrors(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) {
          await kafka.ensureTopics().catch(() => {});
        }
      }
      await session?.close();
      session = undefined;
      await pause(backoff.next(), signal);
    }
    await session?.close();
    await producer?.disconnect().catch(() => {});
  };
  const running = run();

  return {
    wake: () => {
      if (session?.isLeading()) wakeUp.wake();
      else session?.notify();
    },
    isLeading: () => session?.isLeading() ?? false,
    stop: async () => {
      stopping.abort();
      await Promise.race([running, pause(STOP_DEADLINE_MS)]);
    },
  };
}

/**
 * Creates `next`, which waits, and `wake`, which ends the wait. A call of `wake` while nothing
 * waits is kept, so that the following call of `next` resolves at once.
 */
function createWakeUp(signal: AbortSignal) {
  let pending = false;
  let resume: (() => void) | undefined;
  return {
    wake: (): void => {
      pending = true;
      resume?.();
    },
    /** Resolves on a call of `wake`, after the given time, or when the signal is aborted. */
    next: (milliseconds: number): Promise<void> =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resume = undefined;
          pending = false;
          resolve();
        };
        const timer = setTimeout(done, milliseconds);
        resume = done;
        if (pending || signal.aborted) done();
        else signal.addEventListener('abort', done, { once: true });
      }),
  };
}
