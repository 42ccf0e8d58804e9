import { relative } from 'node:path';
import type { Backing } from './backing.ts';
import type { StartSettings } from './start-settings.ts';

/** What a person wants to know once all is up: where it is and how to try it. */
export function readyTable(
  { directory, databases, brokers, ports }: StartSettings,
  backing: Backing,
  seconds: number,
): string {
  const rows: [address: string, what: string][] = [
    [`http://localhost:${ports.gateway}/graphql`, 'GraphQL: the whole graph, with live streams'],
    [`http://localhost:${ports.order}`, 'order subgraph'],
    [`http://localhost:${ports.stock}`, 'stock subgraph'],
  ];
  // The addresses of one's own servers may hold passwords, and are known to whoever has set them.
  if (!databases) {
    rows.push([backing.databases.order, 'PostgreSQL, orders']);
    rows.push([backing.databases.stock, 'PostgreSQL, stock']);
  }
  if (!brokers) rows.push([backing.brokers, 'Kafka']);
  const width = Math.max(...rows.map(([address]) => address.length));
  const logs = relative(process.cwd(), `${directory}/logs`);
  return [
    '',
    `Gudang is ready after ${seconds.toFixed(1)} s`,
    '',
    ...rows.map(([address, what]) => `  ${address.padEnd(width)}  ${what}`),
    '',
    `Try it with \`npm run demo\` in another terminal. Logs are in ${logs}. Ctrl-C stops everything.`,
    '',
  ].join('\n');
}
