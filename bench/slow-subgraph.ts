/**
 * Measures whether subgraphs that hang, are slow or flap delay requests that do not need them. Five pairs of
 * phases, in which all five subgraphs answer, or three of them are impaired; the order alternates.
 * `npm run bench:slow-subgraph -- [limits]` takes 3 minutes; limits as in SUBGRAPH_LIMITS.
 */
import { argv } from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { createChecks, quantile } from '@gudang/testing/checks';
import { startChild, startGateway, usageOf } from './live/child.ts';
import { type LoadResult, sendLoad } from './slow-subgraph/load.ts';

const PAIRS = 5;
const PHASE_MS = 12_000;
const WARM_UP_MS = 4_000;
/** A phase must be longer than the time-out, so that the breaker of the subgraph that hangs opens. */
const TIMEOUT_MS = 3_000;
const SOCKETS = 64;
/** Maximum of the median of the ratios of p99. */
const RATIO_LIMIT = 1.1;
const GROWTH_LIMIT_MIB = 64;

const checks = createChecks();
const subgraphs = await startChild('../slow-subgraph/subgraphs.ts');
const urls = await subgraphs.ask<Record<string, string>>({ urls: true });
const gateway = await startGateway({
  SUPERGRAPH: new URL('slow-subgraph/supergraph.graphql', import.meta.url).pathname,
  SUBGRAPH_URLS: Object.entries(urls)
    .map(([name, url]) => `${name}=${url}`)
    .join(','),
  SUBGRAPH_TIMEOUT_MS: String(TIMEOUT_MS),
  SUBGRAPH_LIMITS: argv[2] ?? '',
});
const graphUrl = `${gateway.url}/graphql`;

interface Phase {
  readonly load: LoadResult;
  readonly p99: number;
  readonly sockets: Readonly<Record<string, number>>;
  readonly rssMib: number;
}

async function runPhase(impair: boolean): Promise<Phase> {
  await subgraphs.ask({ impair, sockets: true });
  const load = await sendLoad(graphUrl, PHASE_MS);
  const sockets = await subgraphs.ask<Record<string, number>>({ sockets: true });
  const rssMib = (await usageOf(gateway.pid)).rssKib / 1024;
  return { load, p99: quantile(load.latencies, 0.99), sockets, rssMib };
}

async function metrics(name: string): Promise<string[]> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(`${name}{`));
}

/** Waits until all breakers are closed again; queries try the subgraphs in the meantime. */
async function recover(): Promise<boolean> {
  await subgraphs.ask({ impair: false });
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await sendLoad(graphUrl, 500);
    const open = await metrics('gateway_subgraph_breaker_open');
    if (open.every((line) => line.endsWith(' 0'))) return true;
    await pause(500);
  }
  return false;
}

try {
  await sendLoad(graphUrl, WARM_UP_MS);
  const ratios: number[] = [];
  const rss: number[] = [];
  let mostSockets = 0;
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const phases = new Map<boolean, Phase>();
    for (const impair of pair % 2 === 0 ? [false, true] : [true, false]) {
      phases.set(impair, await runPhase(impair));
      if (impair) checks.verify('every breaker closes again', await recover(), 'within 20 s');
    }
    const [healthy, impaired] = [phases.get(false), phases.get(true)];
    if (!healthy || !impaired) break;
    ratios.push(impaired.p99 / healthy.p99);
    rss.push(impaired.rssMib);
    mostSockets = Math.max(mostSockets, ...Object.values(impaired.sockets));
    checks.print(
      `pair ${pair + 1}: p99 ${healthy.p99.toFixed(2)} and ${impaired.p99.toFixed(2)} ms, p50 ${quantile(healthy.load.latencies, 0.5).toFixed(2)} and ${quantile(impaired.load.latencies, 0.5).toFixed(2)} ms; impaired: ${JSON.stringify(impaired.load.impaired)}, sockets ${JSON.stringify(impaired.sockets)}, gateway ${impaired.rssMib.toFixed(0)} MiB`,
    );
    const failed = healthy.load.failed + impaired.load.failed;
    checks.verify('no request of the other subgraphs fails', failed === 0, `${failed} failed`);
  }
  for (const name of ['breaker_opened', 'refused', 'retries']) {
    for (const line of await metrics(`gateway_subgraph_${name}_total`)) checks.print(line);
  }
  const median = quantile(ratios, 0.5);
  const spread = ratios.map((ratio) => ratio.toFixed(2)).join(', ');
  checks.verify(
    `the p99 of the others rises by at most ${Math.round((RATIO_LIMIT - 1) * 100)} %`,
    median <= RATIO_LIMIT,
    `median ratio ${median.toFixed(2)} of ${spread}`,
  );
  // Aborted connections are replaced while they are still closing.
  checks.verify('sockets are bounded', mostSockets <= 2 * SOCKETS, `at most ${mostSockets}`);
  const growth = Math.max(...rss) - (rss[0] ?? 0);
  checks.verify(
    `memory grows by at most ${GROWTH_LIMIT_MIB} MiB after the first pair`,
    growth <= GROWTH_LIMIT_MIB,
    `${growth.toFixed(0)} MiB`,
  );
} finally {
  await gateway.stop();
  await subgraphs.stop();
}
