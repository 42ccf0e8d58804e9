import type { TopicRecord } from '@gudang/testing/topic-archive';
import type { DecisionRow } from '../history.ts';
import { type Breach, byId, fieldsOf, groupBy, type History } from '../history.ts';

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const ORIGIN = ['gudang_origin_topic', 'gudang_origin_partition', 'gudang_origin_offset'];

/**
 * Guarantee 4: each record was applied, repeats an applied record, or became a dead letter with the
 * record's bytes.
 */
export function recordsAccounted(history: History): Breach[] {
  const { unsent, setAside, decisions, observed } = history;
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 4, what });
  if (unsent > 0) breach(`${unsent} events remain in an outbox`);
  if (setAside > 0) breach(`${setAside} outbox events were rejected`);

  const decided = byId(decisions, ({ orderId }) => orderId);
  for (const topic of ['order_created', 'order_cancelled']) {
    breaches.push(...unaccountedRecords(history, topic, decided));
  }
  for (const { id } of observed.foreign) {
    if (!decided.has(id)) breach(`order ${id} of another system was not decided`);
  }
  for (const letter of history.records['order_decided.dlt'] ?? []) {
    breach(`a decision was dead-lettered (${letter.headers['gudang_reason']}): ${show(letter)}`);
  }
  return breaches;
}

function unaccountedRecords(
  { records }: History,
  topic: string,
  decided: ReadonlyMap<string, DecisionRow>,
): Breach[] {
  const breaches: Breach[] = [];
  const breach = (what: string): void => void breaches.push({ guarantee: 4, what });
  const requests = records[topic] ?? [];
  const letters = records[`${topic}.dlt`] ?? [];
  const byOrigin = groupBy(letters, (letter) =>
    ORIGIN.map((name) => letter.headers[name]).join(' '),
  );
  const origins = new Set(requests.map(originOf));
  const lost = new Set(requests.filter(({ isLost }) => isLost).map(originOf));

  for (const record of requests) {
    // A record that the broker has lost may have been applied before.
    if (record.isLost) continue;
    const origin = originOf(record);
    const found = byOrigin.get(origin) ?? [];
    // A dead letter may be that of a lost record, whose offset was assigned again.
    const letter = lost.has(origin) ? found.find((one) => hasBytesOf(one, record)) : found[0];
    const applicable = isApplicable(record, decided);
    if (applicable && letter) breach(`${origin} is valid but was dead-lettered`);
    if (!applicable && !letter) breach(`${origin} was skipped: ${show(record)}`);
    if (topic === 'order_cancelled' && applicable && isUnanswered(record, decided)) {
      breach(`${origin} was skipped: the order is CONFIRMED and no cancellation was refused`);
    }
    if (!letter) continue;
    if (!hasBytesOf(letter, record)) {
      breach(`the dead letter of ${origin} has other bytes`);
    }
    if (!letter.headers['gudang_reason']) breach(`the dead letter of ${origin} has no reason`);
  }
  for (const origin of byOrigin.keys()) {
    if (!origins.has(origin)) breach(`a dead letter names ${origin}, where no record exists`);
  }
  return breaches;
}

function originOf({ topic, partition, offset }: TopicRecord): string {
  return `${topic} ${partition} ${offset}`;
}

function hasBytesOf(letter: TopicRecord, record: TopicRecord): boolean {
  return sameBytes(letter.value, record.value) && sameBytes(letter.key, record.key);
}

/** Checks a record against the documented contract, without using the tested code. */
function isApplicable(record: TopicRecord, decided: ReadonlyMap<string, DecisionRow>): boolean {
  const fields = fieldsOf(record.value);
  const id = fields?.['id'];
  if (typeof id !== 'string' || !UUID.test(id)) return false;
  const decision = decided.get(id.toLowerCase());
  return (
    decision !== undefined &&
    decision.productId === fields?.['product_id'] &&
    decision.quantity === fields['quantity']
  );
}

function isUnanswered(record: TopicRecord, decided: ReadonlyMap<string, DecisionRow>): boolean {
  const id = String(fieldsOf(record.value)?.['id']).toLowerCase();
  const decision = decided.get(id);
  return decision?.status === 'CONFIRMED' && !decision.isCancelRefused;
}

function sameBytes(one: Buffer | null, other: Buffer | null): boolean {
  return one === null || other === null ? one === other : one.equals(other);
}

function show(record: TopicRecord): string {
  return record.value?.toString().slice(0, 200) ?? 'no value';
}
