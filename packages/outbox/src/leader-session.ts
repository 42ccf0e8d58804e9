import type { Socket } from 'node:net';
import { assertOwnSession } from '@gudang/postgres';
import { pause } from '@gudang/runtime';
import { pinSession } from '@gudang/session';
import { Client, type QueryConfig, type QueryResult } from 'pg';

/** The advisory lock that the active relay of a database holds: "outbox" in ASCII. */
const LOCK = '122550255484024';
/**
 * Time without a statement after which the server ends a relay's session and releases its lock, in
 * milliseconds.
 */
const IDLE_LIMIT_MS = 4_000;
/**
 * Time between the last statement and a heartbeat, in milliseconds. An idle relay needs no
 * heartbeats, because it polls more often.
 */
const HEARTBEAT_MS = 1_000;
/**
 * Setting with which commits that delete sent rows do not wait for the disk. It halves the number
 * of disk syncs per order. If a crash of the server undoes such a commit, the recorded offset is
 * undone with it, and the relay sends the rows again.
 */
const SYNCHRONOUS_COMMIT = 'off';
/** Interval between a standby's attempts to take the lock, in milliseconds. */
const LOCK_POLL_MS = 500;
/** Maximum time that closing waits for the server, in milliseconds. */
const CLOSE_LIMIT_MS = 1_000;

/**
 * Leader election by advisory lock, on a separate connection. A leader reads and deletes rows
 * through the same connection, so a relay that has lost the lock cannot delete rows. Requires a
 * direct connection, without a pooler.
 *
 * States:
 * - *standby*: the session is open and waits for the lock.
 * - *leading*: the session holds the lock.
 * - *lost*: the connection failed. Every call rejects with the first error.
 */
export interface LeaderSession {
  readonly isLeading: () => boolean;
  /** Waits for the lock, then subscribes to notifications. Rejects when the signal is aborted. */
  readonly lead: () => Promise<void>;
  /** Runs a statement after all earlier statements have ended. */
  readonly query: (statement: string | QueryConfig, values?: unknown[]) => Promise<QueryResult>;
  /** Runs statements whose commits wait for the disk. */
  readonly durably: <T>(work: () => Promise<T>) => Promise<T>;
  /** Wakes the leading relay, which may be in another process. */
  readonly notify: () => void;
  readonly close: () => Promise<void>;
}

/**
 * Opens a session as a standby.
 * @param onNotify called for each notification, and when the connection is lost
 */
export async function openLeaderSession({
  databaseUrl,
  onNotify,
  signal,
}: {
  databaseUrl: string;
  onNotify: () => void;
  signal: AbortSignal;
}): Promise<LeaderSession> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'gudang-relay',
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
    keepAlive: true,
  });
  let leading = false;
  let lost: Error | undefined;
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
    // Without `destroy`, a silent connection would remain open for minutes, until TCP times out.
    socketOf(client)?.destroy();
  };
  try {
    await client.connect();
    // A frozen process sends no heartbeats, so the server ends its session and releases its lock.
    const { backend } = await pinSession(client, databaseUrl, { idle: IDLE_LIMIT_MS });
    await assertOwnSession(client, backend, databaseUrl);
  } catch (error) {
    await close();
    throw error;
  }
  // Send one statement at a time, because pg 9 will no longer queue concurrent statements.
  let last: Promise<unknown> = Promise.resolve();
  const query: LeaderSession['query'] = (statement, values) => {
    const result = last.then(() => {
      if (lost) throw lost;
      heartbeat?.refresh();
      return client.query(statement, values);
    });
    last = result.catch(() => {});
    return result;
  };
  heartbeat = setTimeout(() => void query('SELECT 1').catch(lose), HEARTBEAT_MS);

  let notifying = false;
  return {
    isLeading: () => leading,
    query,
    lead: async () => {
      for (;;) {
        signal.throwIfAborted();
        const { rows } = await query('SELECT pg_try_advisory_lock($1) AS held', [LOCK]);
        if (rows[0].held) break;
        await pause(LOCK_POLL_MS, signal);
      }
      await query('LISTEN outbox');
      await query(`SET synchronous_commit = ${SYNCHRONOUS_COMMIT}`);
      // A plan that was made while the outbox was small might read the whole table, and stay in use
      // while the table has millions of dead rows.
      await query('SET enable_seqscan = off');
      leading = true;
    },
    durably: async (work) => {
      await query('SET synchronous_commit = on');
      const result = await work();
      await query(`SET synchronous_commit = ${SYNCHRONOUS_COMMIT}`);
      return result;
    },
    notify: () => {
      if (notifying || lost) return;
      notifying = true;
      query('NOTIFY outbox')
        .catch(() => {})
        .finally(() => {
          notifying = false;
        });
    },
    close,
  };
}

/** Returns the client's socket, which pg does not expose. */
function socketOf(client: Client): Socket | undefined {
  return (client as unknown as { connection?: { stream?: Socket } }).connection?.stream;
}
