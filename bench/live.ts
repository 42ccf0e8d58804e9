/**
 * Measures live streams through the gateway and a bare `ws` broadcast of the same bytes. Other load
 * on the machine affects the figures: compare them only within one run. `npm run bench:live --
 * burst` runs only the scenarios whose name contains that word.
 */
import { argv, stdout } from 'node:process';
import { type Figures, run, type Scenario } from './live/scenario.ts';

const ONE = { streams: 1, burst: 1, crossSubgraph: false };
const SCENARIOS: readonly Scenario[] = [
  { ...ONE, name: '500 clients, 1 stream, 20 events/s', clients: 500, rate: 20 },
  { ...ONE, name: '5000 clients, 1 stream, 2 events/s', clients: 5000, rate: 2 },
  { ...ONE, name: '500 clients, 50 streams, 20 events/s', clients: 500, rate: 20, streams: 50 },
  {
    ...ONE,
    name: '500 clients, a cross-subgraph field, 20 events/s',
    clients: 500,
    rate: 20,
    crossSubgraph: true,
  },
  { ...ONE, name: '500 clients, bursts of 10, 2/s', clients: 500, rate: 2, burst: 10 },
];

const COLUMNS: readonly [string, (figures: Figures) => string][] = [
  ['CPU µs per delivery', ({ cpuUs }) => cpuUs.toFixed(1)],
  ['deliveries/s', ({ perSecond }) => perSecond.toFixed(0)],
  ['delivered', ({ deliveries, expected }) => `${((100 * deliveries) / expected).toFixed(1)}%`],
  ['p50 ms', ({ p50 }) => p50.toFixed(1)],
  ['p99 ms', ({ p99 }) => p99.toFixed(1)],
  ['RSS KiB per client', ({ rssKib }) => rssKib.toFixed(1)],
  ['upstreams', ({ upstreams }) => upstreams.toFixed(0)],
  ['subgraph requests per event', ({ requestsAnEvent }) => requestsAnEvent.toFixed(2)],
];

const only = argv[2] ?? '';
for (const scenario of SCENARIOS.filter(({ name }) => name.includes(only))) {
  const bare = await run(scenario, true);
  const gateway = await run(scenario, false);
  stdout.write(`\n${scenario.name}\n`);
  stdout.write(`${''.padEnd(28)}${'gateway'.padStart(12)}${'bare ws'.padStart(12)}\n`);
  for (const [name, show] of COLUMNS) {
    const ofBare = name.startsWith('upstreams') || name.startsWith('subgraph') ? '' : show(bare);
    stdout.write(`${name.padEnd(28)}${show(gateway).padStart(12)}${ofBare.padStart(12)}\n`);
  }
  stdout.write(
    `${'CPU, gateway ÷ bare ws'.padEnd(28)}${(gateway.cpuUs / bare.cpuUs).toFixed(2).padStart(12)}\n`,
  );
}
