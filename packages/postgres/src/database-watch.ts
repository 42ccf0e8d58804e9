import type { Service, Stoppable } from '@gudang/runtime';
import {
  createOutageLog,
  OK,
  type PartState,
  type Problem,
  pause,
  withoutCredentials,
} from '@gudang/runtime';
import { databaseProblem } from './database-problem.ts';
import type { SqlClient } from './statements.ts';

/**
 * Time-out of the database's response, in milliseconds. After this time, the database is reported as
 * down.
 */
const DEADLINE_MS = 2_000;

/** Reports the state of a database to `/readyz`, and its outages to the log. */
export function startDatabaseWatch(
  { health, log }: Pick<Service, 'health' | 'log'>,
  {
    client,
    url,
    setting,
  }: {
    client: SqlClient;
    url: string;
    /** The name of the setting with the URL, for messages: ORDER_DATABASE_URL. */
    setting: string;
  },
): Stoppable {
  const outage = createOutageLog(log, { what: `PostgreSQL at ${withoutCredentials(url)}` });
  /** Reads a table that both databases have, so that a database without migrations is also reported. */
  const findProblem = (): Promise<Problem | undefined> => {
    const problemOf = (error?: unknown) => databaseProblem(error, { url, setting });
    return Promise.race([
      client.$queryRawUnsafe('SELECT FROM relay').then(() => undefined, problemOf),
      pause(DEADLINE_MS).then(() => problemOf()),
    ]);
  };
  const ask = async (): Promise<PartState> => {
    const problem = await findProblem();
    if (problem === undefined) {
      outage.end();
      return OK;
    }
    outage.report(problem);
    return { state: 'down', reason: problem.reason };
  };

  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await pause((await ask()).state === 'ok' ? 10_000 : 2_000, stopping.signal);
    }
  })();
  health.watch('database', ask);
  return {
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}
