/**
 * Fetches Kafka if it is missing. `npm start` runs this program from its source while it builds the
 * packages. It reports no failure, because the start itself then fetches Kafka again and reports why it
 * cannot.
 */
import { join } from 'node:path';
import { gudangDirectory } from '../gudang-directory.ts';
import { fetchKafkaLibraries } from './kafka-libraries.ts';

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => stopping.abort());
}

await fetchKafkaLibraries({
  directory: join(gudangDirectory(), 'kafka'),
  log: (line) => process.stdout.write(`${line}\n`),
  signal: stopping.signal,
}).catch(() => {
  process.exitCode = 1;
});
