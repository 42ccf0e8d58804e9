import { readFile } from 'node:fs/promises';

/** The end of a log file, for a message about why its writer ended; empty when there is none. */
export async function lastLines(file: string, count = 8): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
