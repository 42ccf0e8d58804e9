import { headerText, type KafkaConnection, readTopic, topicBounds } from '@gudang/kafka';
import { eventType, HEADER } from '@gudang/messages';
import type { Producer } from 'kafkajs';
import type { LeaderSession } from './leader-session.ts';
import { beginEpoch, noteAnnouncement, type RelayTerm } from './relay-term.ts';

/**
 * Maximum number of sent events that are compared with the outbox. A batch has fewer events, so if
 * more events were sent after the recorded offset, they cannot all be in the outbox.
 */
const EVENT_LIMIT = 5_000;

/**
 * An event of the change topic. The time is compared too, because a restored database reuses ids.
 */
interface SentEvent {
  readonly id: string;
  readonly at: Date;
}

/**
 * Begins a new epoch if the change topic and the database contradict each other:
 * - If the topic does not contain the last sent offset, the topic is new.
 * - If the topic contains events after the last sent offset that are not in the outbox, the
 *   database was restored. (If, instead, a relay was killed between sending and deleting, its
 *   events are still in the outbox.)
 */
export async function checkEpoch(
  kafka: KafkaConnection,
  producer: Producer,
  {
    session,
    term,
    topic,
    source,
    onlyEnd = false,
  }: {
    session: LeaderSession;
    term: RelayTerm;
    topic: string;
    source: string;
    /** Whether to check only that the topic contains the last sent offset. */
    onlyEnd?: boolean;
  },
): Promise<void> {
  const name = kafka.name(topic);
  const { high } = await topicBounds(kafka.client, name);
  const isNew = high <= term.sentOffset;
  if (onlyEnd && !isNew && term.isAnnounced) return;
  if (isNew || (await hasUnknownEvents())) {
    await beginEpoch(session, term, { offset: high - 1, isAnnounced: false });
  }
  // Announce the epoch to the replicas, because the next change may come much later. An earlier leader
  // may have begun the epoch and failed before it announced the epoch.
  if (term.isAnnounced) return;
  const [sent] = await producer.send({
    topic: name,
    acks: -1,
    messages: [
      {
        key: null,
        value: null,
        headers: {
          [HEADER.id]: `${source}/${term.epoch}`,
          [HEADER.source]: source,
          [HEADER.type]: `${eventType(topic)}.epoch`,
          [HEADER.specVersion]: '1.0',
          [HEADER.time]: new Date().toISOString(),
          [HEADER.term]: term.term,
          [HEADER.epoch]: term.epoch,
        },
      },
    ],
  });
  await noteAnnouncement(session, term, Number(sent?.baseOffset ?? high));

  async function hasUnknownEvents(): Promise<boolean> {
    const events: SentEvent[] = [];
    await readTopic(kafka.client, name, {
      from: term.sentOffset + 1,
      take: (records) => {
        for (const { headers } of records) {
          const id = headerText(headers, HEADER.outboxId);
          const at = new Date(headerText(headers, HEADER.time) ?? 0);
          if (id === undefined || !/^\d{1,18}$/.test(id) || Number.isNaN(at.getTime())) continue;
          events.push({ id, at });
        }
        return events.length <= EVENT_LIMIT;
      },
    });
    return !(await areInOutbox(session, events));
  }
}

/** Returns whether all these events are still in the outbox, with the id and time that were sent. */
async function areInOutbox(session: LeaderSession, events: readonly SentEvent[]): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT count(*) AS missing FROM unnest($1::bigint[], $2::timestamptz[]) AS sent (id, at)
     WHERE NOT EXISTS (SELECT FROM outbox WHERE id = sent.id AND created_at = sent.at)`,
    [events.map(({ id }) => id), events.map(({ at }) => at)],
  );
  return rows[0].missing === '0';
}
