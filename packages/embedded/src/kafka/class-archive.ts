import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { Java } from './java.ts';

/** Age in milliseconds above which a draft is considered abandoned by a killed process. */
const ABANDONED_AFTER_MS = 600_000;

export interface ClassArchiveOptions {
  java: Java;
  /** The JVM's options. A JVM accepts only an archive that was made with the same options. */
  jvm: readonly string[];
  /** The real path of the folder with the jars. The archive is stored in it. */
  libraries: string;
  /** The file in which a JVM records the classes that it loads. */
  listFile: string;
  /** The priority of the archiving process, for `os.setPriority`. Default: below normal. */
  priority?: number | undefined;
}

export interface ClassArchive {
  /** JVM arguments that make the JVM use the archive. Empty if there is no archive. */
  readonly use: readonly string[];
  /** JVM arguments that make the JVM record the loaded classes. Empty if there is an archive. */
  readonly record: readonly string[];
  /**
   * Writes the archive after a start that has recorded its classes. A separate process does this (6
   * s of CPU time, 60 MB); it is killed when the signal is aborted. The promise never rejects,
   * because starts without an archive are only slower.
   */
  write(signal: AbortSignal): Promise<void>;
}

/**
 * Finds the archive of Kafka's classes (Java's class data sharing). It contains parsed and verified
 * classes. Without an archive, parsing and verifying take half of the CPU time of a start. Each
 * build of Java has its own archive.
 */
export async function findClassArchive(options: ClassArchiveOptions): Promise<ClassArchive> {
  const { java, jvm, libraries, listFile } = options;
  const key = createHash('sha256').update([java.command, java.build, ...jvm].join('\0'));
  const prefix = `classes-${key.digest('hex').slice(0, 12)}-`;
  const archive = await findComplete(libraries, prefix);
  await rm(listFile, { force: true });
  if (archive) {
    // The JVM verifies the checksums and does not use a corrupt archive.
    const use = [`-XX:SharedArchiveFile=${archive}`, '-XX:+VerifySharedSpaces'];
    return { use, record: [], write: async () => {} };
  }
  return {
    use: [],
    record: [`-XX:DumpLoadedClassList=${listFile}`],
    write: (signal) =>
      write(options, prefix, signal)
        .finally(() => rm(listFile, { force: true }))
        .catch(() => {}),
  };
}

/**
 * Finds an archive whose length equals the length in its file name. A truncated archive is not
 * used, because a JVM would crash on it.
 */
async function findComplete(libraries: string, prefix: string): Promise<string | undefined> {
  for (const name of await readdir(libraries)) {
    if (!name.startsWith(prefix)) continue;
    const file = join(libraries, name);
    const found = await stat(file).catch(() => undefined);
    if (name === `${prefix}${found?.size}.jsa`) return file;
  }
  return undefined;
}

async function write(
  options: ClassArchiveOptions,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const { java, jvm, libraries, listFile } = options;
  const { priority = constants.priority.PRIORITY_BELOW_NORMAL } = options;
  const list = await readFile(listFile, 'utf8');
  // The archive is renamed when it is complete. Its final name contains its length, which
  // findComplete checks.
  const draft = join(libraries, `${prefix}draft`);
  await createDraft(draft);
  try {
    const file = join(draft, 'archive.jsa');
    // Copy the list without its last line, which may be incomplete, because Kafka's JVM is still
    // writing to the list.
    const lines = join(draft, 'classes.lst');
    await writeFile(lines, list.slice(0, list.lastIndexOf('\n') + 1));
    const dump = ['-Xshare:dump', `-XX:SharedClassListFile=${lines}`];
    const classPath = ['-cp', join(libraries, '*')];
    const args = [...jvm, ...dump, `-XX:SharedArchiveFile=${file}`, ...classPath];
    await run(java.command, args, { priority, signal });
    await chmod(file, 0o644);
    const { size } = await stat(file);
    await rename(file, join(libraries, `${prefix}${size}.jsa`));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Creates the draft's folder.
 * @throws if another process is writing the archive
 */
async function createDraft(draft: string): Promise<void> {
  const begun = (await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now();
  if (Date.now() - begun > ABANDONED_AFTER_MS) await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
}

/**
 * Runs a command. Resolves on exit code 0, else rejects. Kills the process when the signal is
 * aborted.
 */
function run(
  command: string,
  args: string[],
  { priority, signal }: { priority: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', killSignal: 'SIGKILL', signal });
    if (child.pid === undefined) return void child.once('error', reject);
    // An abort also emits `error`. Ignore it, because the promise must wait for the exit.
    child.on('error', () => {});
    try {
      setPriority(child.pid, priority);
    } catch {
      // Without permission to raise the priority, the child keeps the priority of this process.
    }
    child.once('exit', (code, killed) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${killed ?? code}`));
    });
  });
}
