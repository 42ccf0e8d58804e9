import { relative } from 'node:path';
import type { Backing } from '../npm-start/backing.ts';
import type { StartSettings } from '../npm-start/start-settings.ts';

/** What a person wants to know once all is up: where it is and how to try it. */
export function readyTable(
  { directory, databases, brokers, ports }: StartSettings,
  backing: Backing,
  seconds: number,
): string {
  const gateway = `http://localhost:${ports.gateway}`;
  const rows: [address: string, what: string][] = [
    [gateway, 'what this is, and what is running'],
    [`${gateway}/live`, 'stock and orders as they change: start here'],
    [`${gateway}/graphql`, 'the graph: queries, mutations, live streams; a browser gets Sandbox'],
    [`${gateway}/graphiql`, 'the graph in a browser, also offline'],
    [`http://localhost:${ports.order}/order/`, 'REST of the orders'],
    [`http://localhost:${ports.stock}/stock/`, 'REST of the stocks'],
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
    'In another terminal: `npm run demo`, or `npm run demo -- --traffic 20` to see it move.',
    `Logs are in ${logs}. Ctrl-C stops everything.`,
    '',
  ].join('\n');
}
