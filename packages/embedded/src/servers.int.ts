import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gudangDirectory } from './gudang-directory.ts';
import { startKafka } from './kafka/kafka.ts';
import { startPostgres } from './postgres/postgres.ts';
import { freePort, isFree } from './processes/free-port.ts';
import { startWatchdog, type Watchdog } from './processes/watchdog.ts';

let directory: string;
let watchdog: Watchdog;
const running: { stop(deadlineMs?: number): Promise<void> }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gudang-int-'));
  watchdog = startWatchdog(directory);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(0)));
  await watchdog.stop();
  await rm(directory, { recursive: true });
});

async function postgres(port?: number) {
  const server = await startPostgres({ directory, ...(port && { port }) });
  running.push(server);
  return server;
}

async function kafka(port?: number) {
  const server = await startKafka({ directory, ...(port && { port }) });
  running.push(server);
  return server;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function topics(brokers: string, create?: string): Promise<string[]> {
  const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  try {
    if (create) await admin.createTopics({ topics: [{ topic: create }] });
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

describe('@gudang/embedded', () => {
  it('keeps PostgreSQL’s data after a stop and after SIGKILL', async () => {
    const first = await postgres();
    expect(await first.createDatabase('shop')).toBe(true);
    expect(await first.createDatabase('shop')).toBe(false);
    await query(first.url('shop'), 'CREATE TABLE kept AS SELECT 1 AS id');
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });

    const second = await postgres(first.port);
    expect(second.url('shop')).toBe(first.url('shop'));
    await query(second.url('shop'), 'INSERT INTO kept VALUES (2)');
    process.kill(second.pid, 'SIGKILL');
    expect(await second.exited).toEqual({ code: null, signal: 'SIGKILL' });

    const third = await postgres();
    const rows = await query(third.url('shop'), 'SELECT id FROM kept ORDER BY id');
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  it('keeps Kafka’s data after a stop and after SIGKILL', async () => {
    const first = await kafka();
    await topics(first.brokers, 'kept');
    await first.stop();
    expect(await isFree(first.port)).toBe(true);

    const second = await kafka(first.port);
    expect(await topics(second.brokers, 'kept-too')).toContain('kept');
    process.kill(second.pid, 'SIGKILL');
    expect(await second.exited).toEqual({ code: null, signal: 'SIGKILL' });

    const third = await kafka();
    expect((await topics(third.brokers)).sort()).toEqual(['kept', 'kept-too']);
  }, 60_000);

  it('starts Kafka with the class archive of its first start', async () => {
    const fetched = join(gudangDirectory(), 'kafka');
    const [lib = ''] = (await readdir(fetched)).filter((name) => /^lib-[\d.]+$/.test(name));
    const libraries = join(directory, 'libraries');
    await mkdir(join(libraries, lib), { recursive: true });
    const jars = (await readdir(join(fetched, lib))).filter((name) => name.endsWith('.jar'));
    await Promise.all(
      jars.map((jar) => symlink(join(fetched, lib, jar), join(libraries, lib, jar))),
    );
    const archivePriority = constants.priority.PRIORITY_NORMAL;
    const first = await startKafka({ directory, libraries, archivePriority });
    running.push(first);
    const archives = async () =>
      (await readdir(join(libraries, lib))).filter((name) => name.endsWith('.jsa'));
    await vi.waitFor(async () => expect(await archives()).toHaveLength(1), { timeout: 120_000 });
    await first.stop();
    const second = await startKafka({ directory, libraries });
    running.push(second);
    expect(await readFile(`/proc/${second.pid}/maps`, 'utf8')).toContain((await archives())[0]);
    expect(await topics(second.brokers)).toEqual([]);
  }, 180_000);

  it('stops a server that is still running after its start was killed', async () => {
    const orphan = await postgres();
    const lines: string[] = [];
    // Like a start in another process, this second start knows only the files in the folder.
    const next = await startPostgres({
      directory,
      port: orphan.port,
      log: (line) => lines.push(line),
    });
    running.push(next);
    expect((await orphan.exited).code).toBe(0);
    expect(lines).toEqual([expect.stringContaining(`process ${orphan.pid}`)]);
  });

  it('leaves no process running after an aborted start', async () => {
    const stopping = new AbortController();
    const port = await freePort();
    const start = startPostgres({ directory, port, signal: stopping.signal });
    stopping.abort(new Error('aborted by the test'));
    await expect(start).rejects.toThrow('aborted by the test');
    expect(await isFree(port)).toBe(true);
  });

  it('names a port that is in use and the setting for another port', async () => {
    const { port } = await postgres();
    await expect(startKafka({ directory, port })).rejects.toThrow(
      new RegExp(`Port ${port} is in use.*KAFKA_PORT`),
    );
  });
});
