import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import type { Java } from './java.ts';

const GIVEN_UP_AFTER_MS = 600_000;

export interface ClassArchiveOptions {
  java: Java;
  /** How the JVM is set up; it takes an archive only of one that was set up alike. */
  jvm: readonly string[];
  /** The folder of the jars, as its real path; the archive is kept in it. */
  libraries: string;
  /** Where a start notes the classes that it loads. */
  listFile: string;
  /** Of the process that makes an archive, as `os.setPriority` takes it; below normal unless told otherwise. */
  priority?: number | undefined;
}

export interface ClassArchive {
  /** Arguments of a JVM that starts with the archive; none while there is no archive. */
  readonly use: readonly string[];
  /** Arguments of the JVM that the next archive is made after; none when there is one already. */
  readonly record: readonly string[];
  /**
   * Makes the archive after a start that recorded, in a process (6 s of CPU, 60 MB) that is killed when the signal is
   * aborted. Never rejects: without an archive, starts are only slower.
   */
  make(signal: AbortSignal): Promise<void>;
}

/**
 * Kafka's classes as a JVM has read, checked and laid them out: half of the CPU of its start goes into that
 * (Java's class data sharing). A file of its own for each build of Java.
 */
export async function classArchive(options: ClassArchiveOptions): Promise<ClassArchive> {
  const { java, jvm, libraries, listFile } = options;
  const key = createHash('sha256').update([java.command, java.build, ...jvm].join('\0'));
  const prefix = `classes-${key.digest('hex').slice(0, 12)}-`;
  const archive = await whole(libraries, prefix);
  await rm(listFile, { force: true });
  if (archive) {
    // Checked by its sums, too: one that is not what was written is left unused.
    const use = [`-XX:SharedArchiveFile=${archive}`, '-XX:+VerifySharedSpaces'];
    return { use, record: [], make: async () => {} };
  }
  return {
    use: [],
    record: [`-XX:DumpLoadedClassList=${listFile}`],
    make: (signal) =>
      make(options, prefix, signal)
        .finally(() => rm(listFile, { force: true }))
        .catch(() => {}),
  };
}

/** An archive that is as long as its name says: a JVM that reads beyond the end of a cut one dies of it. */
async function whole(libraries: string, prefix: string): Promise<string | undefined> {
  for (const name of await readdir(libraries)) {
    if (!name.startsWith(prefix)) continue;
    const file = join(libraries, name);
    const found = await stat(file).catch(() => undefined);
    if (name === `${prefix}${found?.size}.jsa`) return file;
  }
  return undefined;
}

async function make(
  options: ClassArchiveOptions,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const { java, jvm, libraries, listFile } = options;
  const { priority = constants.priority.PRIORITY_BELOW_NORMAL } = options;
  const list = await readFile(listFile, 'utf8');
  // Beside its place, and moved there when done. The name keeps the length, for whoever reads it.
  const draft = join(libraries, `${prefix}making`);
  await begin(draft);
  try {
    const file = join(draft, 'archive.jsa');
    // A copy: the JVM goes on writing to its list, whose last line may be half there.
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

/** @throws when another start is making one, unless it has been at it for longer than that takes: it was killed */
async function begin(draft: string): Promise<void> {
  const begun = (await stat(draft).catch(() => undefined))?.mtimeMs ?? Date.now();
  if (Date.now() - begun > GIVEN_UP_AFTER_MS) await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
}

/** Resolves once it has ended well; when the signal is aborted it is killed first. */
function run(
  command: string,
  args: string[],
  { priority, signal }: { priority: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'ignore', killSignal: 'SIGKILL', signal });
    if (child.pid === undefined) return void child.once('error', reject);
    // That it was killed; it is waited for all the same.
    child.on('error', () => {});
    try {
      setPriority(child.pid, priority);
    } catch {
      // It has the one of this process, which may not raise it.
    }
    child.once('exit', (code, killed) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${killed ?? code}`));
    });
  });
}
