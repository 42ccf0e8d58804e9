import { relative } from 'node:path';
import type { BackingServers } from '../npm-start/service-plan.ts';
import type { StartSettings } from '../npm-start/start-settings.ts';

/** Returns the text that `npm start` prints when the system is ready: addresses and first commands. */
export function readyTable(
  { directory, databases, brokers, ports }: StartSettings,
  backing: BackingServers,
  seconds: number,
): string {
  const gateway = `http://localhost:${ports.gateway}`;
  const rows: [address: string, what: string][] = [
    [gateway, 'overview and status'],
    [`${gateway}/live`, 'stock and orders, live: start here'],
    [
      `${gateway}/graphql`,
      'GraphQL: queries, mutations, subscriptions; a browser shows Apollo Sandbox',
    ],
    [`${gateway}/graphiql`, 'GraphiQL, a GraphQL editor that works offline'],
    [`http://localhost:${ports.order}/order/`, 'REST API of the orders'],
    [`http://localhost:${ports.stock}/stock/`, 'REST API of the stocks'],
  ];
  // The addresses of the user's own servers are not printed, because they may contain passwords.
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
    'Next, in another terminal: `npm run demo`, or `npm run demo -- --traffic 20` for 20 orders per second.',
    `Logs: ${logs}. Ctrl-C stops everything.`,
    '',
  ].join('\n');
}
