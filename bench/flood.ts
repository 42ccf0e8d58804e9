/**
 * Measures how floods from one address affect other clients: slowloris, 5,000 idle sockets,
 * subscriptions, queries, invalid tokens. `npm run bench:flood -- [seconds]` takes 2 minutes.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { signToken } from '@gudang/auth/testing';
import { createChecks, quantile } from '@gudang/testing/checks';
import { SECURED } from '@gudang/testing/clients/callers';
import { graphAt } from '@gudang/testing/clients/graph-client';
import { addStocks, gatewayMetric, withBenchSystem } from '@gudang/testing/system/bench-system';
import type { FloodName } from './flood/flooder.ts';
import { startOrdinaryClients } from './flood/ordinary-clients.ts';
import { startChild } from './live/child.ts';

const SECONDS = Number(argv[2] ?? 15);
const FLOODS: readonly FloodName[] = [
  'slowloris',
  'idle sockets',
  'subscriptions',
  'queries',
  'bad tokens',
];
/**
 * Limit of the p99 latency, in milliseconds. The limit is high, because the flooder uses the same
 * CPU cores as the gateway.
 */
const LATENCY_LIMIT_MS = 500;

const checks = createChecks();
const settings = {
  all: SECURED,
  // The benchmark acts as a trusted proxy: it sets X-Forwarded-For, so that each client appears to
  // have its own address.
  gateway: { TRUSTED_PROXIES: 'loopback', NODE_ENV: 'production' },
};
await withBenchSystem({ environment: settings }, async (system) => {
  const token = await signToken({ sub: 'Siti', scope: 'stock:write' });
  const graph = graphAt(`${system.gateway.url}/graphql`, `Bearer ${token}`);
  await addStocks({ ...system, graph }, 20);
  const ordinary = startOrdinaryClients(`${system.gateway.url}/graphql`);
  const measure = async (): Promise<string> => {
    ordinary.forget();
    await pause(SECONDS * 1000);
    const { latencies, failed } = ordinary.results();
    const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
    checks.verify(
      'no request of other clients fails',
      failed === 0,
      `${failed} of ${latencies.length + failed}`,
    );
    checks.verify(
      'other clients are not delayed',
      p99 < LATENCY_LIMIT_MS,
      `p99 ${p99.toFixed(1)} ms`,
    );
    return `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${latencies.length} responses`;
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
  ordinary.stop();
  for (const name of [
    'gateway_rate_limited_total',
    'gateway_unchecked_tokens_total',
    'gateway_refused_connections_total',
    'gateway_shed_total',
  ]) {
    checks.print(`${name} ${await gatewayMetric(system, name)}`);
  }
});
