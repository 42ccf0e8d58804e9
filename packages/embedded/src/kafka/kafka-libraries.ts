import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StartError } from '../start-error.ts';

const run = promisify(execFile);
const pom = fileURLToPath(new URL('../../kafka/pom.xml', import.meta.url));
const SIZE_MB = 43;
const WAY_OUT = 'Or set KAFKA_BROKERS to a running Kafka';

export interface LibrariesOptions {
  /** The folder that holds `lib-<version>`; made when missing. */
  directory: string;
  log?: (line: string) => void;
  /** Gets how much is there, twice a second: `Fetching Apache Kafka: 12 of 43 MB`. */
  progress?: (text: string) => void;
  signal?: AbortSignal;
}

/**
 * The folder with Kafka's jars; Maven fetches them when they are not there yet (43 MB, about 6 s).
 * @throws {StartError} when Maven is missing or cannot fetch them
 */
export async function kafkaLibraries(options: LibrariesOptions): Promise<string> {
  const { directory, log = () => {}, progress = () => {}, signal } = options;
  await findMaven(directory);
  const version = kafkaVersion();
  const libraries = join(directory, `lib-${version}`);
  if (existsSync(libraries)) return libraries;
  log(`Fetching Apache Kafka ${version} with Maven (${SIZE_MB} MB, only this once)`);
  await mkdir(directory, { recursive: true });
  // Fetched beside its place and moved there when done, so that a cut-off download is not taken for complete.
  const draft = await mkdtemp(join(directory, `lib-${version}.tmp-`));
  const looking = setInterval(() => {
    const all = Math.min(megabytesIn(draft), SIZE_MB);
    progress(`Fetching Apache Kafka: ${all} of ${SIZE_MB} MB`);
  }, 500);
  try {
    await fetchInto(draft, signal);
    // mkdtemp keeps it to its owner; other users of this machine may read what anybody can download.
    await chmod(draft, 0o755);
    await rename(draft, libraries).catch((error: NodeJS.ErrnoException) => {
      // Another start has been faster.
      if (!existsSync(libraries)) throw error;
    });
    return libraries;
  } finally {
    clearInterval(looking);
    await rm(draft, { recursive: true, force: true });
  }
}

function megabytesIn(directory: string): number {
  const sizes = readdirSync(directory).map((name) => sizeOf(join(directory, name)));
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000_000);
}

/** Maven may have moved a file since it was listed. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** @throws {StartError} when Maven is needed, because Kafka is not there yet, and is missing */
export async function findMaven(directory: string): Promise<void> {
  const version = kafkaVersion();
  if (existsSync(join(directory, `lib-${version}`))) return;
  await run('mvn', ['--version']).catch(() => {
    throw new StartError(
      `Kafka ${version} is fetched by Maven, and there is no mvn here. ` +
        `Install Maven (https://maven.apache.org). ${WAY_OUT}`,
    );
  });
}

async function fetchInto(directory: string, signal?: AbortSignal): Promise<void> {
  const goal = [
    'org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies',
    `-DoutputDirectory=${directory}`,
  ];
  try {
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const { stdout = '', stderr = '', message } = error as Partial<Record<string, string>>;
    throw new StartError(
      `Maven could not fetch Kafka: ${mavenReason(`${stdout}\n${stderr}`) ?? message}\n` +
        `Check the network (a proxy or a mirror goes into ~/.m2/settings.xml). ${WAY_OUT}`,
    );
  }
}

/** The one line of Maven's many that says why; without its colours. */
export function mavenReason(output: string): string | undefined {
  const esc = String.fromCharCode(27);
  const plain = output.replaceAll(new RegExp(`${esc}\\[[0-9;]*m`, 'g'), '');
  const line = plain.split('\n').find((text) => text.startsWith('[ERROR]'));
  return line
    ?.replace('[ERROR]', '')
    .replace(/ -> \[Help 1\].*/, '')
    .trim();
}

/** The pom is where the version is said. */
function kafkaVersion(): string {
  const text = readFileSync(pom, 'utf8');
  return /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(text)?.[1] ?? 'unknown';
}
