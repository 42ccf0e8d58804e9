import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '@gudang/embedded';
import pg from 'pg';
import { eventually } from '../eventually.ts';

export interface PgBouncer {
  /** Replaces a database's address by its address through PgBouncer. */
  readonly through: (url: string) => string;
  readonly stop: () => Promise<void>;
}

/**
 * Finds PgBouncer. If the environment variable PGBOUNCER is set, as in .ci/run, it names the program.
 * @returns the program; undefined if it cannot be started
 */
export async function findPgBouncer(): Promise<string | undefined> {
  const named = process.env['PGBOUNCER'];
  for (const program of named ? [named] : ['pgbouncer', '/usr/sbin/pgbouncer']) {
    try {
      await promisify(execFile)(program, ['--version']);
      return program;
    } catch {}
  }
  return undefined;
}

/** Starts PgBouncer before all databases of a server. It refuses unknown start-up parameters. */
export async function startPgBouncer(
  program: string,
  { server, poolMode }: { server: string; poolMode: 'session' | 'transaction' },
): Promise<PgBouncer> {
  const { hostname, port: serverPort, username } = new URL(server);
  const directory = await mkdtemp(join(tmpdir(), 'gudang-pgbouncer-'));
  const port = await freePort();
  const file = join(directory, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${poolMode}
default_pool_size = 40
server_reset_query = DISCARD ALL
`,
  );
  await chmod(directory, 0o755);
  // PgBouncer refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn(program, ['-q', ...user, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(child, 'exit');
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const through = (url: string): string => {
    const address = new URL(url);
    address.hostname = '127.0.0.1';
    address.port = String(port);
    return address.href;
  };
  const stop = async (): Promise<void> => {
    kill();
    await exited;
    process.off('exit', kill);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually(
      async () => child.exitCode !== null || (await answers(through(server))),
      (isKnown) => isKnown,
      { until: 'PgBouncer answers' },
    );
    if (child.exitCode !== null) throw new Error(`PgBouncer ended:\n${output}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { through, stop };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
