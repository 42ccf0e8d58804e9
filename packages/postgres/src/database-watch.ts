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
import { isPooledByTransaction } from './pooling.ts';
import type { SqlClient } from './statements.ts';

/**
 * Time-out of the database's response, in milliseconds. After this time, the database is reported as
 * down.
 */
const DEADLINE_MS = 2_000;

/** A database's URL and the name of its setting, for messages: ORDER_DATABASE_URL. */
export interface DatabaseAddress {
  readonly url: string;
  readonly setting: string;
}

export interface WatchedDatabase extends DatabaseAddress {
  /** The URL of the direct connection, if it differs. */
  readonly direct?: DatabaseAddress | undefined;
}

/**
 * Reports the state of a database to `/readyz`, and its outages to the log. When the database answers for
 * the first time and after each outage, also checks whether a pooler makes its connections unusable.
 */
export function startDatabaseWatch(
  { health, log }: Pick<Service, 'health' | 'log'>,
  { client, url, setting, direct }: WatchedDatabase & { client: SqlClient },
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
  let isChecked = false;
  const findPoolingProblem = async (): Promise<Problem | undefined> => {
    if (isChecked) return undefined;
    for (const address of [{ url, setting }, ...(direct ? [direct] : [])]) {
      const problem = await poolingProblem(address);
      if (problem) return problem;
    }
    isChecked = true;
    return undefined;
  };
  const ask = async (): Promise<PartState> => {
    const outageProblem = await findProblem();
    if (outageProblem) isChecked = false;
    const problem = outageProblem ?? (await findPoolingProblem());
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

async function poolingProblem(address: DatabaseAddress): Promise<Problem | undefined> {
  try {
    if (!(await isPooledByTransaction(address.url))) return undefined;
  } catch (error) {
    return databaseProblem(error, address);
  }
  return {
    reason: `${withoutCredentials(address.url)} is a pooler that assigns connections by transaction`,
    advice: `use pool_mode=session, or set ${address.setting} to PostgreSQL itself`,
  };
}
