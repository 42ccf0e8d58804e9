import { relative } from 'node:path';
import type { BackingServers } from '../npm-start/service-plan.ts';
import type { StartSettings } from '../npm-start/start-settings.ts';

/**
 * Returns the text that `npm start` prints when the system is ready: addresses, whether auth is on, and the
 * first commands.
 * @param tokens the setting by which tokens are verified; undefined if auth is off
 */
export function readyTable(
  { directory, databases, brokers, ports }: StartSettings,
  backing: BackingServers,
  { seconds, tokens }: { seconds: number; tokens: string | undefined },
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
    tokens
      ? `Auth is on: ${tokens} verifies the callers' tokens. Without a token, callers can only read stocks.`
      : 'Auth is off: every caller has full access. To require tokens, set JWT_SECRET or JWT_JWKS_URL.',
    '',
    'Next, in another terminal: `npm run demo`, or `npm run demo -- --traffic 20` for 20 orders per second.',
    ...(tokens ? ['With GUDANG_TOKEN=<token>, the demo sends a token.'] : []),
    `Logs: ${logs}. Ctrl-C stops everything; \`npm run reset\` then deletes the data.`,
    '',
  ].join('\n');
}
