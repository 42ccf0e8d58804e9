import type { Socket } from 'node:net';
import { pause } from '@gudang/runtime';
import { Client, type QueryConfig, type QueryResult } from 'pg';
import type { OutboxRow } from './outbox-row.ts';

/** The advisory lock that one relay of a database holds: "outbox" in ASCII. */
const LOCK = '122550255484024';
/** A relay that is silent for so long loses its session, and with it the lock. */
const IDLE_LIMIT_MS = 4_000;
/** Said when nothing else has been for so long; an idle relay's polls come sooner. */
const HEARTBEAT_MS = 1_000;
/**
 * Deletes of what was sent do not wait for the disk: one that a crash of the server takes back, and
 * the offset with it, is a row that is sent again. That halves the syncs that an order takes.
 */
const DELETES_WAIT = 'off';
/** How often one that waits asks for the lock. */
const ASK_MS = 500;
/** How long to wait for the server's goodbye. */
const CLOSE_LIMIT_MS = 1_000;

/**
 * The one database connection of a relay: it holds the lock, and all that a leader reads and
 * deletes goes through it, so that whoever lost the lock can delete nothing. It must be a direct
 * connection, not one through a pooler.
 */
export interface RelaySession {
  readonly isLeading: () => boolean;
  readonly term: string;
  readonly epoch: string;
  /** The last offset of the change topic that the database knows to be sent; -1: none. */
  readonly sentOffset: number;
  /** Waits for the lock, then begins a term. */
  readonly lead: () => Promise<void>;
  readonly nextRows: (limit: number) => Promise<OutboxRow[]>;
  /** @param offset the last one of the change topic in what was sent, null when there was none */
  readonly deleteSent: (ids: readonly string[], offset: number | null) => Promise<void>;
  readonly setAside: (id: string, reason: string) => Promise<void>;
  /** Whether all of these are still in the outbox, as they were sent. */
  readonly areWaiting: (events: readonly SentEvent[]) => Promise<boolean>;
  /** @param offset the last one that is sent */
  readonly beginEpoch: (offset: number) => Promise<void>;
  /** Wakes the relay that leads, in whichever process it is. */
  readonly notify: () => void;
  readonly close: () => Promise<void>;
}

/** An event as the change topic has it: a restored database gives ids out again, at another time. */
export interface SentEvent {
  readonly id: string;
  readonly at: Date;
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
  const lose = (error: Error): void => {
    lost ??= error;
    leading = false;
    onNotify();
  };
  client.on('error', lose);
  client.on('notification', onNotify);
  let heartbeat: NodeJS.Timeout | undefined;
  const close = async (): Promise<void> => {
    leading = false;
    clearTimeout(heartbeat);
    await Promise.race([client.end().catch(() => {}), pause(CLOSE_LIMIT_MS)]);
    // A connection that has gone silent would otherwise stay until TCP gives it up, in minutes.
    socketOf(client)?.destroy();
  };
  try {
    await client.connect();
    // A frozen process sends no heartbeat, so the server ends its session, and with it the lock.
    await client.query(`SET idle_session_timeout = ${IDLE_LIMIT_MS}`);
  } catch (error) {
    await close();
    throw error;
  }
  /** One at a time: pg queues what comes in between, and will not from its version 9 on. */
  let last: Promise<unknown> = Promise.resolve();
  const run = (statement: string | QueryConfig, values?: unknown[]): Promise<QueryResult> => {
    const answered = last.then(() => {
      heartbeat?.refresh();
      return client.query(statement, values);
    });
    last = answered.catch(() => {});
    return answered;
  };
  heartbeat = setTimeout(() => void run('SELECT 1').catch(lose), HEARTBEAT_MS);

  return {
    isLeading: () => leading,
    get term() {
      return term;
    },
    get epoch() {
      return epoch;
    },
    get sentOffset() {
      return sentOffset;
    },
    lead: async () => {
      for (;;) {
        signal.throwIfAborted();
        if (lost) throw lost;
        const { rows } = await run('SELECT pg_try_advisory_lock($1) AS held', [LOCK]);
        if (rows[0].held) break;
        await pause(ASK_MS, signal);
      }
      await run('LISTEN outbox');
      const { rows } = await run(
        'UPDATE relay SET term = term + 1 RETURNING term, epoch, sent_offset',
      );
      term = rows[0].term;
      epoch = rows[0].epoch;
      sentOffset = Number(rows[0].sent_offset);
      await run(`SET synchronous_commit = ${DELETES_WAIT}`);
      leading = true;
    },
    nextRows: async (limit) => {
      if (lost) throw lost;
      const { rows } = await run({
        name: 'next-rows',
        text: `SELECT id, topic, key, value, version, headers, traceparent, created_at
               FROM outbox ORDER BY id LIMIT $1`,
        values: [limit],
      });
      return rows;
    },
    deleteSent: async (ids, offset) => {
      if (offset === null) {
        await run({
          name: 'delete-sent',
          text: 'DELETE FROM outbox WHERE id = ANY($1::bigint[])',
          values: [ids],
        });
        return;
      }
      await run({
        name: 'delete-sent-changes',
        text: `WITH sent AS (DELETE FROM outbox WHERE id = ANY($1::bigint[]))
               UPDATE relay SET sent_offset = $2`,
        values: [ids, offset],
      });
      sentOffset = offset;
    },
    setAside: async (id, reason) => {
      await run(
        `WITH refused AS (DELETE FROM outbox WHERE id = $1 RETURNING *)
         INSERT INTO outbox_rejected
           (id, topic, key, value, version, headers, traceparent, created_at, reason)
         SELECT id, topic, key, value, version, headers, traceparent, created_at, $2 FROM refused`,
        [id, reason],
      );
    },
    areWaiting: async (events) => {
      const { rows } = await run(
        `SELECT count(*) AS missing FROM unnest($1::bigint[], $2::timestamptz[]) AS sent (id, at)
         WHERE NOT EXISTS (SELECT FROM outbox WHERE id = sent.id AND created_at = sent.at)`,
        [events.map(({ id }) => id), events.map(({ at }) => at)],
      );
      return rows[0].missing === '0';
    },
    beginEpoch: async (offset) => {
      // Records are sent under it from now on: it must not be lost.
      await run('SET synchronous_commit = on');
      const { rows } = await run(
        'UPDATE relay SET epoch = gen_random_uuid(), sent_offset = $1 RETURNING epoch',
        [offset],
      );
      await run(`SET synchronous_commit = ${DELETES_WAIT}`);
      epoch = rows[0].epoch;
      sentOffset = offset;
    },
    notify: () => {
      if (notifying || lost) return;
      notifying = true;
      run('NOTIFY outbox')
        .catch(() => {})
        .finally(() => {
          notifying = false;
        });
    },
    close,
  };
}

/** pg keeps it to itself. */
function socketOf(client: Client): Socket | undefined {
  return (client as unknown as { connection?: { stream?: Socket } }).connection?.stream;
}
