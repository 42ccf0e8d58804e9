import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startKafka } from '../kafka/kafka.ts';
import type { SecuredUser } from '../kafka/secured-listener.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { findUnprivilegedUser } from '../postgres/unprivileged-user.ts';
import { freePort } from '../processes/free-port.ts';
import { startWatchdog } from '../processes/watchdog.ts';
import { createAuthority, createCertificate } from './certificates.ts';

/**
 * The user of both servers. Tests check that no output contains the password of this user or of the
 * guest.
 */
export const USER = { name: 'gudang', password: 'Rahasia-Gudang-1', trusted: true } as const;
/** A Kafka user that can log in but has no permissions. */
export const GUEST = { name: 'tamu', password: 'Rahasia-Tamu-2', trusted: false } as const;

/** A PostgreSQL that requires TLS and a password, and a Kafka with TLS and SASL. */
export interface SecuredServers {
  /** Path of the PEM file of the authority that signed the servers' certificates. */
  readonly ca: string;
  /** Path of the PEM file of an unrelated authority. */
  readonly otherCa: string;
  /** Returns the URL of a database for `USER`, with the given query parameters. */
  readonly databaseUrl: (name: string, parameters?: string, password?: string) => string;
  /** Returns the URL of a database for PostgreSQL's superuser, without TLS. For test set-up and assertions. */
  readonly adminUrl: (name: string) => string;
  readonly brokers: string;
  /** Kafka's listener without TLS and SASL. */
  readonly openBrokers: string;
  readonly stop: () => Promise<void>;
}

/** Starts the servers on free ports in a temporary folder. */
export async function startSecuredServers(): Promise<SecuredServers> {
  const directory = await mkdtemp(join(tmpdir(), 'gudang-secured-'));
  const watchdog = startWatchdog(directory);
  const [authority, other] = await Promise.all([createAuthority('Gudang'), createAuthority('X')]);
  const { cert, private: key } = await createCertificate(authority);
  const ca = join(directory, 'ca.pem');
  const otherCa = join(directory, 'other-ca.pem');
  await Promise.all([writeFile(ca, authority.cert), writeFile(otherCa, other.cert)]);
  const securedPort = await freePort();
  const users: SecuredUser[] = [USER, GUEST];
  const starting = [
    startSecuredPostgres(join(directory, 'postgres'), { cert, key }),
    startKafka({
      directory: join(directory, 'kafka'),
      secured: { port: securedPort, certificate: cert, key, users },
    }),
  ] as const;
  const stop = async (): Promise<void> => {
    const started = await Promise.allSettled(starting);
    await Promise.all(
      started.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)),
    );
    await watchdog.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [postgres, kafka] = await Promise.all(starting);
    return {
      ca,
      otherCa,
      databaseUrl: (name, parameters = `sslmode=verify-full&sslrootcert=${ca}`, password) =>
        `postgresql://${USER.name}:${password ?? USER.password}@127.0.0.1:${postgres.port}/${name}?${parameters}`,
      adminUrl: postgres.url,
      brokers: `127.0.0.1:${securedPort}`,
      openBrokers: kafka.brokers,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSecuredPostgres(
  directory: string,
  { cert, key }: Record<'cert' | 'key', string>,
) {
  await mkdir(directory, { recursive: true });
  const files = { cert: join(directory, 'server.crt'), key: join(directory, 'server.key') };
  const rules = join(directory, 'pg_hba.conf');
  await Promise.all([
    writeFile(files.cert, cert),
    writeFile(files.key, key, { mode: 0o600 }),
    writeFile(
      rules,
      'host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
    ),
  ]);
  // PostgreSQL accepts a key file only if root or its own user owns it and no other user can read it.
  const { own } = await findUnprivilegedUser();
  await Promise.all([...Object.values(files), rules].map(own));
  await chmod(directory, 0o755);
  const postgres = await startPostgres({
    directory,
    settings: {
      fsync: 'off',
      ssl: 'on',
      ssl_cert_file: files.cert,
      ssl_key_file: files.key,
      hba_file: rules,
    },
  });
  const client = new pg.Client({ connectionString: postgres.url('postgres') });
  await client.connect();
  await client.query(`CREATE ROLE ${USER.name} LOGIN CREATEDB PASSWORD '${USER.password}'`);
  await client.end();
  return postgres;
}
