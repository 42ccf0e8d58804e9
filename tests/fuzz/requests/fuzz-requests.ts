import type { Checks } from '@gudang/testing/checks';
import { TARGETS, type TargetName, withRequestTarget } from './request-target.ts';
import { type RequestRun, runRequests } from './run-requests.ts';

/** Share of the cases of each configuration. */
const SHARES: Readonly<Record<TargetName, number>> = { open: 0.7, safelist: 0.15, tickets: 0.15 };
const PRINT_EVERY = 10_000;
const MAX_SHOWN = 50;
/** Minimum share of requests that run. If almost all are refused, the comparison shows little. */
const MIN_EXECUTED = 0.1;

/**
 * Sends generated requests on every protocol to gateways whose only subgraph records what it
 * receives. What it received must be what the reference admits, or the request must be refused.
 */
export async function fuzzRequests(
  checks: Checks,
  { seed, cases, from = 0 }: Required<RequestRun>,
): Promise<void> {
  for (const name of TARGETS) {
    const count = Math.ceil(cases * SHARES[name]);
    const totals = { executed: 0, refused: 0, mismatches: 0 };
    await withRequestTarget(name, async (target) => {
      for (let done = 0; done < count; done += PRINT_EVERY) {
        const part = Math.min(PRINT_EVERY, count - done);
        const report = await runRequests(target, { seed, cases: part, from: from + done });
        totals.executed += report.executed;
        totals.refused += report.refused;
        for (const one of report.mismatches) {
          totals.mismatches += 1;
          if (totals.mismatches <= MAX_SHOWN) checks.print(`${name}: ${one}\n`);
        }
      }
    });
    const { executed, refused, mismatches } = totals;
    checks.verify(
      `${name}: what ran is what was admitted`,
      mismatches === 0,
      `${count} requests with seed ${seed}: ${executed} executed, ${refused} refused, ${mismatches} mismatches`,
    );
    checks.verify(
      `${name}: enough requests run`,
      executed >= count * MIN_EXECUTED,
      `${((executed / count) * 100).toFixed(0)} %`,
    );
  }
}
