import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import { withFetchLock } from './fetch-lock.ts';

const run = promisify(execFile);
const pom = fileURLToPath(new URL('../../kafka/pom.xml', import.meta.url));
const SIZE_MB = 43;
const DRAFT = '.tmp-';
/** Time without a new file after which a draft is considered abandoned, in milliseconds. */
const ABANDONED_AFTER_MS = 600_000;
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
 * Returns the folder with Kafka's jars. Maven fetches them the first time (43 MB, about 6 s). If another
 * process is fetching them, waits for that process.
 * @throws {StartError} if Maven is missing or cannot fetch them
 */
export async function fetchKafkaLibraries(options: LibrariesOptions): Promise<string> {
  const { directory, progress = () => {}, signal } = options;
  const libraries = join(directory, `lib-${kafkaVersion()}`);
  if (existsSync(libraries)) return libraries;
  const reporting = setInterval(() => {
    const fetched = Math.min(megabytesIn(directory), SIZE_MB);
    progress(`Fetching Apache Kafka: ${fetched} of ${SIZE_MB} MB`);
  }, 500);
  try {
    findMaven(directory);
    await mkdir(directory, { recursive: true });
    await withFetchLock(`${libraries}.lock`, signal, async () => {
      if (!existsSync(libraries)) await fetchTo(libraries, options);
    });
    return libraries;
  } finally {
    clearInterval(reporting);
  }
}

async function fetchTo(libraries: string, { directory, log, signal }: LibrariesOptions) {
  log?.(`Fetching Apache Kafka ${kafkaVersion()} with Maven (${SIZE_MB} MB, only the first time)`);
  await removeAbandonedDrafts(directory);
  // The folder is renamed when complete, so that an interrupted download is never used.
  const draft = await mkdtemp(`${libraries}${DRAFT}`);
  try {
    await fetchInto(draft, signal);
    // Only the owner has access to a folder of mkdtemp. Allow other users of this machine to use
    // the jars too.
    await chmod(draft, 0o755);
    await rename(draft, libraries).catch((error: NodeJS.ErrnoException) => {
      // Ignore the error if another process has fetched the jars meanwhile.
      if (!existsSync(libraries)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Removes the drafts of processes that were killed while they fetched the jars. */
async function removeAbandonedDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.includes(DRAFT)) continue;
    const draft = join(directory, name);
    const changedAt = (await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now();
    if (Date.now() - changedAt < ABANDONED_AFTER_MS) continue;
    await rm(draft, { recursive: true, force: true });
  }
}

/** Returns the size of all jars that are being fetched. */
function megabytesIn(directory: string): number {
  if (!existsSync(directory)) return 0;
  const drafts = readdirSync(directory).filter((name) => name.includes(DRAFT));
  const sizes = drafts.flatMap((draft) => sizesIn(join(directory, draft)));
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000_000);
}

/** Returns the sizes of the files in a folder. Ignores files that are renamed or removed meanwhile. */
function sizesIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(
      (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
    );
  } catch {
    return [];
  }
}

/**
 * Checks that Maven is in PATH if it is needed.
 * @throws {StartError} if Kafka has not been fetched yet and Maven is missing
 */
export function findMaven(directory: string, env: NodeJS.ProcessEnv = process.env): void {
  const version = kafkaVersion();
  if (existsSync(join(directory, `lib-${version}`))) return;
  const folders = (env['PATH'] ?? '').split(delimiter);
  if (folders.some((folder) => folder !== '' && existsSync(join(folder, 'mvn')))) return;
  throw new StartError(
    `Maven fetches Kafka ${version}, but mvn was not found. ` +
      `Install Maven (https://maven.apache.org). ${ADVICE}`,
  );
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
