import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The data of the embedded servers in the data directory, in the order of its removal: if a reset is
 * killed, PostgreSQL without Kafka's records is a state that the services repair. Kafka's jars and the logs
 * are kept.
 */
const DATA = [
  'kafka/formatted',
  'kafka/data',
  'kafka/cluster-id',
  'kafka/controller-port',
  'kafka/server.properties',
  'kafka/classes.lst',
  'postgres/data',
];
/** Folders of interrupted set-ups of PostgreSQL, and of interrupted resets. */
const LEFTOVERS = { postgres: 'data.tmp-', '.': 'deleted-' };

/** Returns the paths of the data of the embedded servers. */
export async function findData(directory: string): Promise<string[]> {
  const data = DATA.map((path) => join(directory, path)).filter(existsSync);
  for (const [folder, prefix] of Object.entries(LEFTOVERS)) {
    const names = await readdir(join(directory, folder)).catch(() => []);
    data.push(
      ...names
        .filter((name) => name.startsWith(prefix))
        .map((name) => join(directory, folder, name)),
    );
  }
  return data;
}

/**
 * Deletes the data of the embedded servers. The servers must not run. All data is moved aside first, so
 * that a killed reset leaves no half of a database.
 */
export async function deleteData(directory: string, data: readonly string[]): Promise<void> {
  const aside = await mkdtemp(join(directory, 'deleted-'));
  for (const [index, path] of data.entries()) await rename(path, join(aside, String(index)));
  await rm(aside, { recursive: true, force: true });
}
