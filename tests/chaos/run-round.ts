import type { Fault } from './fault.ts';
import { startProgress } from './progress.ts';
import { type FaultResult, runFault, type Session } from './run-fault.ts';
import { tableRow } from './table.ts';

/** Runs each fault once, in order, on the same system. */
export async function runRound({
  session,
  faults,
  seed,
  round,
  short,
  print,
}: {
  session: Session;
  faults: readonly Fault[];
  seed: number;
  round: number;
  short: boolean;
  print: (line: string) => void;
}): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const [index, fault] of faults.entries()) {
    const progress = startProgress(`${index + 1}/${faults.length} ${fault.title}`);
    const reason = fault.unavailable?.(session.rig);
    const label = `${fault.name}-${round}`;
    const result = reason
      ? skippedResult(fault, reason)
      : await runFault(session, fault, { seed, short, label });
    results.push(result);
    progress.stop();
    print(tableRow(result));
  }
  return results;
}

function skippedResult(fault: Fault, skipped: string): FaultResult {
  return {
    fault,
    skipped,
    fired: 0,
    settledIn: 0,
    took: 0,
    breaches: [],
    notes: [],
    failures: new Map(),
    restarted: [],
    acknowledged: 0,
    confirmed: 0,
    rejected: 0,
    cancelled: 0,
    returnedTwice: 0,
    lost: 0,
    doubled: 0,
    oversold: 0,
    worstLatency: 0,
  };
}
