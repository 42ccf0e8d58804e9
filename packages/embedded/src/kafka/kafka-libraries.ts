import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';

const run = promisify(execFile);
const pom = fileURLToPath(new URL('../../kafka/pom.xml', import.meta.url));
const SIZE_MB = 43;
const ADVICE = 'Or set KAFKA_BROKERS to a running Kafka';

export interface LibrariesOptions {
  /** The folder for `lib-<version>`. It is created if it is missing. */
  directory: string;
  log?: (line: string) => void;
  /** Receives the progress twice a second: `Fetching Apache Kafka: 12 of 43 MB`. */
  progress?: (text: string) => void;
  signal?: AbortSignal;
}

/**
 * Returns the folder with Kafka's jars. Maven fetches them the first time (43 MB, about 6 s).
 * @throws {StartError} if Maven is missing or cannot fetch them
 */
export async function fetchKafkaLibraries(options: LibrariesOptions): Promise<string> {
  const { directory, log = () => {}, progress = () => {}, signal } = options;
  await findMaven(directory);
  const version = kafkaVersion();
  const libraries = join(directory, `lib-${version}`);
  if (existsSync(libraries)) return libraries;
  log(`Fetching Apache Kafka ${version} with Maven (${SIZE_MB} MB, only the first time)`);
  await mkdir(directory, { recursive: true });
  // The folder is renamed when complete, so that an interrupted download is never used.
  const draft = await mkdtemp(join(directory, `lib-${version}.tmp-`));
  const polling = setInterval(() => {
    const fetched = Math.min(megabytesIn(draft), SIZE_MB);
    progress(`Fetching Apache Kafka: ${fetched} of ${SIZE_MB} MB`);
  }, 500);
  try {
    await fetchInto(draft, signal);
    // Only the owner has access to a folder of mkdtemp. Allow other users of this machine to use
    // the jars too.
    await chmod(draft, 0o755);
    await rename(draft, libraries).catch((error: NodeJS.ErrnoException) => {
      // Ignore the error if another process has fetched the jars meanwhile.
      if (!existsSync(libraries)) throw error;
    });
    return libraries;
  } finally {
    clearInterval(polling);
    await rm(draft, { recursive: true, force: true });
  }
}

function megabytesIn(directory: string): number {
  const sizes = readdirSync(directory).map((name) => sizeOf(join(directory, name)));
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000_000);
}

/** Returns the size of a file; 0 if Maven has renamed the file since it was listed. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Checks that Maven is present if it is needed.
 * @throws {StartError} if Kafka has not been fetched yet and Maven is missing
 */
export async function findMaven(directory: string): Promise<void> {
  const version = kafkaVersion();
  if (existsSync(join(directory, `lib-${version}`))) return;
  await run('mvn', ['--version']).catch(() => {
    throw new StartError(
      `Maven fetches Kafka ${version}, but mvn was not found. ` +
        `Install Maven (https://maven.apache.org). ${ADVICE}`,
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
        `Check the network; set a proxy or a mirror in ~/.m2/settings.xml. ${ADVICE}`,
    );
  }
}

/** Returns the first error in Maven's output, without colours. */
export function mavenReason(output: string): string | undefined {
  const esc = String.fromCharCode(27);
  const plain = output.replaceAll(new RegExp(`${esc}\\[[0-9;]*m`, 'g'), '');
  const line = plain.split('\n').find((text) => text.startsWith('[ERROR]'));
  return line
    ?.replace('[ERROR]', '')
    .replace(/ -> \[Help 1\].*/, '')
    .trim();
}

function kafkaVersion(): string {
  const text = readFileSync(pom, 'utf8');
  return /kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(text)?.[1] ?? 'unknown';
}
