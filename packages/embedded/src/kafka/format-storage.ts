import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { StartError } from '@gudang/runtime/errors';
import type { Java } from './java.ts';

const run = promisify(execFile);

interface FormatOptions {
  java: Java;
  /** Arguments of the JVM that precede the class name. */
  jvm: string[];
  /** The folder for Kafka's data, its cluster id and the marker file. */
  directory: string;
  properties: string;
  /** Arguments that create SCRAM users. */
  users: string[];
  signal?: AbortSignal;
}

/**
 * Formats Kafka's data directory unless it is already formatted. The marker file is written last,
 * so the next start repeats an interrupted run, with the same cluster id.
 * @throws {StartError} with the output of Kafka's storage tool
 */
export async function formatStorage({
  java,
  jvm,
  directory,
  properties,
  users,
  signal,
}: FormatOptions): Promise<void> {
  const marker = join(directory, 'formatted');
  if (existsSync(marker)) return;
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
  await writeFile(marker, '');
}
