import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fetchKafkaLibraries } from '@gudang/embedded/testing';
import { docker, type Environment } from './compose-project.ts';

const exec = promisify(execFile);
const JARS = fileURLToPath(new URL('../../../.gudang/kafka', import.meta.url));
const FOLDER = fileURLToPath(new URL('./stand-ins/', import.meta.url));
const EXTRA_CA = '/usr/local/share/extra-ca.crt';

/** Images that the Compose files and the Dockerfile use instead of their own. */
export const STAND_INS: Environment = {
  NODE_IMAGE: 'gudang-stand-in/node',
  POSTGRES_IMAGE: 'gudang-stand-in/postgres',
  KAFKA_IMAGE: 'gudang-stand-in/kafka',
  HAPROXY_IMAGE: 'gudang-stand-in/haproxy',
  CADDY_IMAGE: 'gudang-stand-in/caddy',
};

/**
 * Builds the stand-ins on debian:bookworm-slim, or on the image that BASE_IMAGE names: Debian's
 * PostgreSQL, HAProxy, Caddy and Java, npm's Node 24, and the jars of Kafka that `npm start` fetches.
 * Certificates of NODE_EXTRA_CA_CERTS are trusted in the stand-in of Node too.
 */
export async function buildStandIns(): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'gudang-stand-ins-'));
  try {
    for (const script of ['postgres.sh', 'kafka.sh']) {
      await copyFile(join(FOLDER, script), join(context, script));
    }
    await copyFile(await node24(), join(context, 'node'));
    await cp(await npmFolder(), join(context, 'npm'), { recursive: true, dereference: true });
    const jars = await fetchKafkaLibraries({ directory: JARS });
    await cp(jars, join(context, 'kafka'), { recursive: true });
    const extra = process.env['NODE_EXTRA_CA_CERTS'];
    const certificates = join(context, 'extra-ca.crt');
    if (extra) await copyFile(extra, certificates);
    else await writeFile(certificates, '');
    const environment = { CONTEXT: context, EXTRA_CA: extra ? EXTRA_CA : '' };
    await docker(['compose', '--file', join(FOLDER, 'compose.yaml'), 'build'], environment);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Installs Node 24 from npm. @returns the path of its binary */
async function node24(): Promise<string> {
  const args = ['exec', '--yes', '--package=node@24', '--', 'node', '-p', 'process.execPath'];
  const { stdout } = await exec('npm', args, { cwd: tmpdir() });
  return stdout.trim().split('\n').at(-1) ?? '';
}

/** Returns the folder of the npm that runs here. */
async function npmFolder(): Promise<string> {
  const { stdout } = await exec('npm', ['root', '--global']);
  return dirname(createRequire(`${stdout.trim()}/`).resolve('npm/package.json'));
}
