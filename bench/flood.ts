/**
 * Floods of one address, and what everybody else notices: slowloris, 5,000 idle sockets, subscriptions,
 * queries, bad tokens. `npm run bench:flood -- [seconds]`; 2 minutes.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { signToken } from '@gudang/auth/testing';
import { createChecks, quantile } from '@gudang/testing/checks';
import { SECURED } from '@gudang/testing/clients/callers';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { addStocks, gatewayMetric, withBenchSystem } from '@gudang/testing/system/bench-system';
import type { FloodName } from './flood/flooder.ts';
import { startOthers } from './flood/others.ts';
import { startChild } from './live/child.ts';

const SECONDS = Number(argv[2] ?? 15);
const FLOODS: readonly FloodName[] = [
  'slowloris',
  'idle sockets',
  'subscriptions',
  'queries',
  'bad tokens',
];
/** Beside what the flooder itself takes of the machine's processors. */
const MAY_TAKE_MS = 500;

const checks = createChecks();
const settings = {
  all: SECURED,
  // The bench is the proxy, so that each client has an address of its own.
  gateway: { TRUSTED_PROXIES: 'loopback', NODE_ENV: 'production' },
};
await withBenchSystem({ environment: settings }, async (system) => {
  const token = await signToken({ sub: 'Siti', scope: 'stock:write' });
  const graph = graphAt(`${system.gateway.url}/graphql`, `Bearer ${token}`);
  await addStocks({ ...system, graph }, 20);
  const others = startOthers(`${system.gateway.url}/graphql`);
  const measure = async (): Promise<string> => {
    others.forget();
    await pause(SECONDS * 1000);
    const { waited, failed } = others.seen();
    const [p50, p99] = [quantile(waited, 0.5), quantile(waited, 0.99)];
    checks.verify('nobody else is refused', failed === 0, `${failed} of ${waited.length + failed}`);
    checks.verify('nobody else waits', p99 < MAY_TAKE_MS, `p99 ${p99.toFixed(1)} ms`);
    return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${waited.length} answers`;
  };
  await pause(3_000);
  checks.print(`before: ${await measure()}`);
  for (const flood of FLOODS) {
    const flooder = await startChild('../flood/flooder.ts');
    const begun = await flooder.ask<object>({ begin: flood, url: system.gateway.url });
    checks.print(`during ${flood} (${JSON.stringify(begun)}): ${await measure()}`);
    checks.print(`  the flooder: ${JSON.stringify(await flooder.ask<object>({ report: true }))}`);
    await flooder.stop();
    await pause(2_000);
  }
  checks.print(`after: ${await measure()}`);
  others.stop();
  for (const name of [
    'gateway_rate_limited_total',
    'gateway_unchecked_tokens_total',
    'gateway_refused_connections_total',
    'gateway_shed_total',
  ]) {
    checks.print(`${name} ${await gatewayMetric(system, name)}`);
  }
});
