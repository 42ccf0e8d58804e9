import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '../start-error.ts';
import type { Java } from './java.ts';

const run = promisify(execFile);

interface Formatting {
  java: Java;
  /** Its arguments before the class. */
  jvm: string[];
  /** Where Kafka's data, its id and the mark are kept. */
  directory: string;
  properties: string;
  /** Arguments that add users. */
  users: string[];
  signal?: AbortSignal;
}

/**
 * Makes Kafka's data directory, once for each. The mark is written last and the id is kept, so that a cut-off one is
 * done again.
 * @throws {StartError} with what Kafka's tool says
 */
export async function formatStorage({
  java,
  jvm,
  directory,
  properties,
  users,
  signal,
}: Formatting): Promise<void> {
  const mark = join(directory, 'formatted');
  if (existsSync(mark)) return;
  const idFile = join(directory, 'cluster-id');
  if (!existsSync(idFile)) await writeFile(idFile, randomBytes(16).toString('base64url'));
  const id = await readFile(idFile, 'utf8');
  const tool = [
    'kafka.tools.StorageTool',
    'format',
    '--ignore-formatted',
    `--cluster-id=${id}`,
    ...users,
  ];
  try {
    await run(java.command, [...jvm, ...tool, '-c', properties], {
      ...(signal && { signal }),
    });
  } catch (error) {
    signal?.throwIfAborted();
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new StartError(`Kafka could not be set up in ${directory}: ${stderr?.trim() || message}`);
  }
  await writeFile(mark, '');
}
