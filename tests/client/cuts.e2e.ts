import { SECURED } from '@gudang/testing/clients/callers';
import { useSystem } from '@gudang/testing/system/use-system';
import { expect, test } from 'vitest';
import { PROTOCOLS } from './cut-subjects.ts';
import { runCuts } from './run-cuts.ts';

const CUTS = 10;
/** A token must not expire on its way to the gateway, which takes seconds while a machine runs all tests. */
const TOKEN_SECONDS = 60;
const system = useSystem({ environment: { all: SECURED } });

/** `npm run client:try` makes 1,000 cuts of each protocol. */
test('clients miss nothing when connections are cut and processes are killed', async () => {
  const run = await runCuts(system(), {
    protocols: PROTOCOLS,
    cuts: CUTS,
    seconds: 4,
    clients: 1,
    stocks: 20,
    perSecond: 60,
    meanBytes: 6_000,
    killEveryMs: 1_500,
    kills: 2,
    tokenSeconds: TOKEN_SECONDS,
    seed: 1,
  });
  for (const { cuts, events, protocol, violations } of run.results) {
    expect(violations, protocol).toEqual([]);
    expect(cuts).toBeGreaterThanOrEqual(CUTS);
    expect(events).toBeGreaterThan(run.changes);
  }
});
