import type { KafkaConnection } from '@gudang/kafka';
import { headerText, readTopic, topicBounds } from '@gudang/kafka';
import { eventType, HEADER } from '@gudang/messages';
import type { Producer } from 'kafkajs';
import type { RelaySession, SentEvent } from './leader-session.ts';

/** More events than the repeats of one send: not all of them can be waiting. */
const ENOUGH_TO_TELL = 5_000;

/**
 * Begins a new epoch when what the database knows of the change topic is not what is there:
 * - the topic ends before what was sent to it: it is new;
 * - it holds events that the database neither has waiting nor knows as sent: the database was
 *   restored. (A relay that was killed after sending leaves events that are still waiting.)
 */
export async function checkEpoch(
  kafka: KafkaConnection,
  producer: Producer,
  { session, topic, source }: { session: RelaySession; topic: string; source: string },
): Promise<void> {
  const name = kafka.name(topic);
  const { high } = await topicBounds(kafka.client, name);
  const isNew = high <= session.sentOffset;
  if (!isNew && !(await holdsUnknownEvents(kafka, name, session))) return;
  await session.beginEpoch(high - 1);
  // Tells the replicas at once; the next change may be far.
  const [sent] = await producer.send({
    topic: name,
    acks: -1,
    messages: [
      {
        key: null,
        value: null,
        headers: {
          [HEADER.id]: `${source}/${session.epoch}`,
          [HEADER.source]: source,
          [HEADER.type]: `${eventType(topic)}.epoch`,
          [HEADER.specVersion]: '1.0',
          [HEADER.time]: new Date().toISOString(),
          [HEADER.term]: session.term,
          [HEADER.epoch]: session.epoch,
        },
      },
    ],
  });
  if (sent?.baseOffset !== undefined) await session.deleteSent([], Number(sent.baseOffset));
}

async function holdsUnknownEvents(
  kafka: KafkaConnection,
  topic: string,
  session: RelaySession,
): Promise<boolean> {
  const events: SentEvent[] = [];
  await readTopic(kafka.client, topic, {
    from: session.sentOffset + 1,
    take: (records) => {
      for (const { headers } of records) {
        const id = headerText(headers, HEADER.outboxId);
        const at = new Date(headerText(headers, HEADER.time) ?? 0);
        if (id === undefined || !/^\d{1,18}$/.test(id) || Number.isNaN(at.getTime())) continue;
        events.push({ id, at });
      }
      return events.length <= ENOUGH_TO_TELL;
    },
  });
  return !(await session.areWaiting(events));
}
