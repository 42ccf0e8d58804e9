/**
 * Measures what hostile clients without a token cost: CPU time and answers of single requests,
 * memory and other clients' latencies during attacks, and healthy streams beside a poison operation.
 * Usage: `npm run bench:hostile -- [costs] [search] [attacks] [neighbors] [--seconds 120]
 * [--only NAME] [--floor] [--requests 300] [--seed 1]`
 */
import { parseArgs } from 'node:util';
import { createChecks } from '@gudang/testing/checks';
import { SECURED } from '@gudang/testing/clients/callers';
import { withBenchSystem } from '@gudang/testing/system/bench-system';
import { fillStocks } from './hostile/fill-stocks.ts';
import { measureAttacks } from './hostile/measure-attacks.ts';
import { measureCosts } from './hostile/measure-costs.ts';
import { measureNeighbors } from './hostile/measure-neighbors.ts';
import { searchCosts } from './hostile/search-costs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '120' },
    only: { type: 'string', default: '' },
    floor: { type: 'boolean', default: false },
    requests: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
  },
});
const PARTS = ['costs', 'search', 'attacks', 'neighbors'];
const parts = positionals.length > 0 ? positionals : PARTS;
const seconds = Number(values.seconds);
const checks = createChecks();
const settings = {
  all: SECURED,
  // The benchmark acts as a trusted proxy: it sets X-Forwarded-For, so that each client appears to
  // have its own address.
  gateway: { TRUSTED_PROXIES: 'loopback', NODE_ENV: 'production' },
};

await withBenchSystem({ environment: settings }, async (system) => {
  const ids = await fillStocks(system);
  if (parts.includes('costs')) await measureCosts(checks, system.gateway);
  if (parts.includes('search')) {
    const search = { requests: Number(values.requests), seed: Number(values.seed) };
    await searchCosts(checks, system.gateway, search);
  }
  if (parts.includes('attacks')) {
    await measureAttacks(checks, system, { seconds, only: values.only, floor: values.floor, ids });
  }
  if (parts.includes('neighbors')) await measureNeighbors(checks, system, { seconds, ids });
});
