import { createTestDatabase, type TestDatabase } from '@gudang/embedded/testing';
import { isOutage } from '@gudang/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { addStock } from './stocks/add-stock.ts';
import { adjustStock } from './stocks/change-stock.ts';

const STORM_MS = 2_500;

let testDatabase: TestDatabase;
let database: Database;
/** A client with a separate connection, which terminates connections of `database`. */
let administrator: Database;

beforeAll(async () => {
  testDatabase = await createTestDatabase(inject('postgresUrl'), 'stock');
  database = openDatabase({ url: testDatabase.url, pool: 4 });
  administrator = openDatabase({ url: testDatabase.url, pool: 1 });
});
afterAll(async () => {
  await database.$disconnect();
  await administrator.$disconnect();
  await testDatabase.drop();
});
beforeEach(async () => {
  await administrator.$executeRaw`TRUNCATE stocks, movements, decisions, outbox`;
});

/** Blocks this process, including its timers and sockets, like SIGSTOP. */
function freeze(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Terminates the connection of a transaction and waits until the connection is closed. */
async function endConnectionOf(transaction: Transaction): Promise<void> {
  const [row] = await transaction.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  await administrator.$queryRaw`SELECT pg_terminate_backend(${row?.pid}::int, 5000)`;
}

/** A transaction that Prisma started. */
type Transaction = Parameters<Parameters<Database['$transaction']>[0]>[0];

/** Waits until one connection runs pg_sleep, and terminates this connection. */
async function endSleeper(): Promise<void> {
  await vi.waitFor(async () => {
    const ended = await administrator.$queryRaw`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'PgSleep'`;
    expect(ended).toHaveLength(1);
  });
}

/**
 * Freezes this process until the server has ended the transaction. The process notices the end only after
 * the freeze.
 */
async function freezeTransaction(transaction: Transaction): Promise<void> {
  await transaction.$executeRaw`SET LOCAL idle_in_transaction_session_timeout = 20`;
  freeze(200);
}

const read = (client: Transaction) => client.stock.findMany();
const ask = (client: Transaction) => client.$queryRaw`SELECT 1 AS one`;
const write = (client: Transaction) => client.$executeRaw`DELETE FROM decisions`;
const sleepFor = (client: Transaction, seconds: number) =>
  client.$queryRaw`SELECT 1 AS one FROM pg_sleep(${seconds}::float)`;
/** Kinds of statements. Prisma reports an error differently for each kind. */
const NEXT = { 'a raw query': ask, 'a raw write': write, 'a query of a model': read };

describe('a lost connection', () => {
  it.each<[string, () => Promise<unknown>]>([
    ...Object.entries(NEXT).flatMap(([name, next]): [string, () => Promise<unknown>][] => [
      [
        `between two statements of a transaction, then ${name}`,
        () =>
          database.$transaction(async (transaction) => {
            await endConnectionOf(transaction);
            await next(transaction);
          }),
      ],
      [
        `between two statements while the process is frozen, then ${name}`,
        () =>
          database.$transaction(async (transaction) => {
            await freezeTransaction(transaction);
            await next(transaction);
          }),
      ],
    ]),
    ['before the commit', () => database.$transaction(endConnectionOf)],
    [
      'before the commit while the process is frozen',
      () => database.$transaction(freezeTransaction),
    ],
    [
      'during a statement of a transaction',
      () =>
        database.$transaction(async (transaction) => {
          await Promise.all([sleepFor(transaction, 30), endSleeper()]);
        }),
    ],
    [
      'because the transaction exceeds the server’s time limit',
      () =>
        database.$transaction(async (transaction) => {
          await transaction.$executeRaw`SET LOCAL transaction_timeout = 20`;
          await sleepFor(transaction, 30);
        }),
    ],
    [
      'because the transaction exceeds the client’s time limit',
      () =>
        database.$transaction(
          async (transaction) => {
            await sleepFor(transaction, 0.1);
            await ask(transaction);
          },
          { timeout: 20 },
        ),
    ],
    [
      'because a statement exceeds its time limit',
      () =>
        database.$transaction(async (transaction) => {
          await transaction.$executeRaw`SET LOCAL statement_timeout = 20`;
          await sleepFor(transaction, 30);
        }),
    ],
  ])('%s is an outage, and other connections work', async (_when, act) => {
    await expect(act()).rejects.toSatisfy(isOutage);
    // The pool may return the lost connection once more before it notices the loss.
    await vi.waitFor(() => read(database));
  });

  async function errorsOfFirstStatements(alone: Database): Promise<unknown[]> {
    // The pool gives the transaction the statement's connection, which the server has already closed.
    const before = ask(alone);
    const begun = alone.$transaction(ask);
    await new Promise((resolve) => setImmediate(resolve));
    const settled = Promise.allSettled([before, begun]);
    for (let left = 20; left > 0; left -= 1) {
      await new Promise((resolve) => setImmediate(resolve));
      freeze(30);
    }
    return (await settled).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  }

  it('before the first statement is an outage for each caller, and does not end the process', async () => {
    const url = new URL(testDatabase.url);
    url.searchParams.set('options', '-c idle_session_timeout=20');
    const alone = openDatabase({ url: url.href, pool: 1 });
    try {
      const errors: unknown[] = [];
      // On a busy machine, the server may close the connection only after the statements.
      for (let attempt = 0; errors.length === 0 && attempt < 20; attempt += 1) {
        errors.push(...(await errorsOfFirstStatements(alone)));
      }
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(error).toSatisfy(isOutage);
      // The server may close the connection again before the statement reaches it.
      expect(await vi.waitFor(() => ask(alone))).toHaveLength(1);
    } finally {
      await alone.$disconnect();
    }
  });

  it('during a rollback does not replace the error that caused the rollback', async () => {
    const own = new Error('its own');
    const failed = database.$transaction(async (transaction) => {
      await endConnectionOf(transaction);
      throw own;
    });
    await expect(failed).rejects.toBe(own);
  });

  it('at a random time under load causes no errors other than outages', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (const id of ids)
      await addStock({ database: administrator }, { id, name: id, quantity: 1_000 });
    let done = 0;
    let running = true;
    const outages = new Set<string>();
    const others = new Set<string>();
    const clients = Array.from({ length: 12 }, async (_, index) => {
      const id = ids[index % ids.length];
      while (running) {
        const one = index % 3 === 0 ? read(database) : adjustStock({ database }, { id, delta: 1 });
        await one.then(
          () => {
            done += 1;
          },
          (error: Error) => (isOutage(error) ? outages : others).add(error.message),
        );
      }
    });
    const until = performance.now() + STORM_MS;
    while (performance.now() < until) {
      await administrator.$queryRaw`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.3`;
      // Wait for a statement, so that the clients can run statements between two terminations.
      await ask(database).catch(() => {});
    }
    running = false;
    await Promise.all(clients);
    expect([...others]).toEqual([]);
    expect(outages.size).toBeGreaterThan(0);
    expect(done).toBeGreaterThan(0);
  });
});

describe('a transaction', () => {
  it('that gets no connection in time is an outage', async () => {
    const alone = openDatabase({ url: testDatabase.url, pool: 1 });
    await alone.$transaction(async () => {
      await expect(alone.$transaction(ask, { maxWait: 20 })).rejects.toSatisfy(isOutage);
    });
    await alone.$disconnect();
  });

  it('waits for its connection longer than Prisma’s default of 2 s', async () => {
    const alone = openDatabase({ url: testDatabase.url, pool: 1 });
    const holder = alone.$transaction((transaction) => sleepFor(transaction, 2.2));
    await expect(alone.$transaction(ask)).resolves.toHaveLength(1);
    await holder;
    await alone.$disconnect();
  });

  it('to an address without a server is an outage', async () => {
    const unavailable = openDatabase({
      url: 'postgresql://postgres@127.0.0.1:1/stock_db',
      pool: 1,
    });
    for (const act of [ask, read, (client: Database) => client.$transaction(ask)]) {
      await expect(act(unavailable)).rejects.toSatisfy(isOutage);
    }
    await unavailable.$disconnect();
  });
});
