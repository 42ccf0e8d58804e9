import { Client } from 'pg';
import { pause } from '../backoff.ts';
import type { KafkaConnection } from '../kafka/kafka-connection.ts';
import type { OutboxRow } from './outbox-row.ts';

/** The advisory lock that one relay of a database holds: "outbox" in ASCII. */
const LOCK = '122550255484024';
/** A relay that is silent for so long loses its session, and with it the lock. */
const IDLE_LIMIT_MS = 4_000;
const HEARTBEAT_MS = 1_000;
/** How often one that waits asks for the lock. */
const ASK_MS = 500;

/**
 * The one database connection of a relay: it holds the lock, and all that a leader reads and
 * deletes goes through it, so that whoever lost the lock can delete nothing. It must be a direct
 * connection, not one through a pooler.
 */
export interface RelaySession {
  readonly isLeading: () => boolean;
  readonly term: string;
  readonly epoch: string;
  /** Waits for the lock, then begins a term. */
  readonly lead: (signal: AbortSignal) => Promise<void>;
  readonly nextRows: (limit: number) => Promise<OutboxRow[]>;
  /** @param offset the last one of the change topic in what was sent, null when there was none */
  readonly deleteSent: (ids: readonly string[], offset: number | null) => Promise<void>;
  readonly setAside: (id: string, reason: string) => Promise<void>;
  /** A topic that ends before what was sent to it is new: a new epoch begins. */
  readonly checkTopic: (kafka: KafkaConnection, topic: string) => Promise<void>;
  /** True when the offset is not beyond what was sent before, and a new epoch has begun. */
  readonly beginEpochIfBehind: (offset: number) => Promise<boolean>;
  /** Wakes the relay that leads, in whichever process it is. */
  readonly notify: () => void;
  readonly close: () => Promise<void>;
}

export async function openRelaySession({
  databaseUrl,
  onNotify,
  signal,
}: {
  databaseUrl: string;
  onNotify: () => void;
  signal: AbortSignal;
}): Promise<RelaySession> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'gudang-relay',
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    keepAlive: true,
  });
  let leading = false;
  let lost: Error | undefined;
  let notifying = false;
  let term = '0';
  let epoch = '';
  let sentOffset = -1;
  client.on('error', (error) => {
    lost = error;
    leading = false;
    onNotify();
  });
  client.on('notification', onNotify);
  await client.connect();

  // A frozen process answers no keep-alive of ours, so its heartbeat ends and the server ends it.
  await client.query(`SET idle_session_timeout = ${IDLE_LIMIT_MS}`);
  const heartbeat = setInterval(() => {
    client.query('SELECT 1').catch((error: Error) => {
      lost = error;
      onNotify();
    });
  }, HEARTBEAT_MS);

  const beginEpoch = async (offset: number): Promise<void> => {
    const { rows } = await client.query(
      'UPDATE relay SET epoch = gen_random_uuid(), sent_offset = $1 RETURNING epoch',
      [offset],
    );
    epoch = rows[0].epoch;
    sentOffset = offset;
  };

  return {
    isLeading: () => leading,
    get term() {
      return term;
    },
    get epoch() {
      return epoch;
    },
    lead: async () => {
      for (;;) {
        signal.throwIfAborted();
        if (lost) throw lost;
        const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS held', [LOCK]);
        if (rows[0].held) break;
        await pause(ASK_MS, signal);
      }
      await client.query('LISTEN outbox');
      const { rows } = await client.query(
        'UPDATE relay SET term = term + 1 RETURNING term, epoch, sent_offset',
      );
      term = rows[0].term;
      epoch = rows[0].epoch;
      sentOffset = Number(rows[0].sent_offset);
      leading = true;
    },
    nextRows: async (limit) => {
      if (lost) throw lost;
      const { rows } = await client.query({
        name: 'next-rows',
        text: `SELECT id, topic, key, value, version, headers, traceparent, created_at
               FROM outbox ORDER BY id LIMIT $1`,
        values: [limit],
      });
      return rows;
    },
    deleteSent: async (ids, offset) => {
      if (offset === null) {
        await client.query({
          name: 'delete-sent',
          text: 'DELETE FROM outbox WHERE id = ANY($1::bigint[])',
          values: [ids],
        });
        return;
      }
      await client.query({
        name: 'delete-sent-changes',
        text: `WITH sent AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]))
               UPDATE relay SET sent_offset = $2`,
        values: [ids, offset],
      });
      sentOffset = offset;
    },
    setAside: async (id, reason) => {
      await client.query(
        `WITH refused AS (DELETE FROM outbox WHERE id = $1 RETURNING *)
         INSERT INTO outbox_rejected
           (id, topic, key, value, version, headers, traceparent, created_at, reason)
         SELECT id, topic, key, value, version, headers, traceparent, created_at, $2 FROM refused`,
        [id, reason],
      );
    },
    checkTopic: async (kafka, topic) => {
      const admin = kafka.client.admin();
      try {
        await admin.connect();
        const [partition] = await admin.fetchTopicOffsets(topic);
        const end = Number(partition?.high ?? 0);
        if (end <= sentOffset) await beginEpoch(end - 1);
      } finally {
        await admin.disconnect();
      }
    },
    beginEpochIfBehind: async (offset) => {
      if (offset > sentOffset) return false;
      await beginEpoch(offset);
      return true;
    },
    notify: () => {
      if (notifying || lost) return;
      notifying = true;
      client
        .query('NOTIFY outbox')
        .catch(() => {})
        .finally(() => {
          notifying = false;
        });
    },
    close: async () => {
      leading = false;
      clearInterval(heartbeat);
      await Promise.race([client.end().catch(() => {}), pause(1_000)]);
    },
  };
}
